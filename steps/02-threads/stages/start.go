// Stage 0 of step 02: the article's server, with a goroutine per client for a thread.
package main

import (
	"bytes"
	"fmt"
	"log"
	"net"
	"os"
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

func serve(client net.Conn) {
	defer client.Close()
	buffer := make([]byte, 1024)
	for {
		count, err := client.Read(buffer)
		if err != nil {
			fmt.Println("[*] connection ended")
			return
		}
		client.Write(reply(buffer[:count]))
	}
}

func main() {
	port := "8888"
	if len(os.Args) > 1 {
		port = os.Args[1]
	}
	listener, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("[*] listening on", listener.Addr())
	for {
		client, err := listener.Accept()
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println("[*] client connected:", client.RemoteAddr())
		go serve(client)
	}
}
