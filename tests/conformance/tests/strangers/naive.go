// A server as most people write their first in Go.
package main

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"strings"
)

func serve(client net.Conn) {
	defer client.Close()
	lines := bufio.NewScanner(client)
	for lines.Scan() {
		if strings.EqualFold(lines.Text(), "ping") {
			fmt.Fprintln(client, "pong")
		} else {
			fmt.Fprintln(client, "受信しました: "+lines.Text())
		}
	}
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:"+os.Args[1])
	if err != nil {
		panic(err)
	}
	for {
		client, err := listener.Accept()
		if err != nil {
			panic(err)
		}
		go serve(client)
	}
}
