// Stage 0 of step 04: the article's event loop, level-triggered.
package main

import (
	"bytes"
	"fmt"
	"log"
	"os"
	"strconv"
	"syscall"
)

// What one Read brought is one message, up to its first line end.
func reply(data []byte) []byte {
	if end := bytes.IndexAny(data, "\r\n"); end >= 0 {
		data = data[:end]
	}
	// Quoted, since a client must not control the terminal.
	fmt.Printf("[*] received: %.1000q\n", data)
	if bytes.EqualFold(data, []byte("ping")) {
		return []byte("pong\n")
	}
	return append(append([]byte("受信しました: "), data...), '\n')
}

func must(what string, err error) {
	if err != nil {
		log.Fatalf("[!] %s failed: %v", what, err)
	}
}

func listen(port int) int {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	must("socket", err)
	must("setsockopt", syscall.SetsockoptInt(
		fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1))
	address := &syscall.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}}
	must("bind", syscall.Bind(fd, address))
	must("listen", syscall.Listen(fd, 5))
	fmt.Printf("[*] epoll server listening on 127.0.0.1:%d\n", port)
	return fd
}

func watch(epoll, fd int) {
	must("fcntl", syscall.SetNonblock(fd, true))
	event := syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(fd)}
	must("epoll_ctl",
		syscall.EpollCtl(epoll, syscall.EPOLL_CTL_ADD, fd, &event))
}

func accept(epoll, listener int) {
	client, _, err := syscall.Accept(listener)
	must("accept", err)
	fmt.Printf("[*] client connected (fd=%d)\n", client)
	watch(epoll, client)
}

func serve(client int) {
	buffer := make([]byte, 1024)
	count, err := syscall.Read(client, buffer)
	must("read", err)
	if count == 0 {
		syscall.Close(client) // which also takes it out of the set
		fmt.Printf("[*] connection ended (fd=%d)\n", client)
		return
	}
	_, err = syscall.Write(client, reply(buffer[:count]))
	must("write", err)
}

func main() {
	port := 8888
	if len(os.Args) > 1 {
		number, err := strconv.Atoi(os.Args[1])
		must("the port", err)
		port = number
	}
	listener := listen(port)
	epoll, err := syscall.EpollCreate1(0)
	must("epoll_create1", err)
	watch(epoll, listener)
	events := make([]syscall.EpollEvent, 1024)
	for {
		count, err := syscall.EpollWait(epoll, events, -1)
		if err == syscall.EINTR {
			continue // the runtime's own signals interrupt it, too
		}
		must("epoll_wait", err)
		for _, event := range events[:count] {
			if fd := int(event.Fd); fd == listener {
				accept(epoll, listener)
			} else {
				serve(fd)
			}
		}
	}
}
