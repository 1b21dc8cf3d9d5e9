// names CALLS WARM-UP FILE HOST: crypto/x509's VerifyHostname on a certificate that is at hand.
package main

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"strconv"
	"syscall"
)

func main() {
	calls, _ := strconv.Atoi(os.Args[1])
	warmUp, _ := strconv.Atoi(os.Args[2])
	text, err := os.ReadFile(os.Args[3])
	if err != nil {
		panic(err)
	}
	block, _ := pem.Decode(text)
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		panic(err)
	}
	var before float64
	for i := -warmUp; i < calls; i++ {
		if i == 0 {
			before = cpu()
		}
		if err := certificate.VerifyHostname(os.Args[4]); err != nil {
			panic(err)
		}
	}
	fmt.Printf("{\"calls\": %d, \"cpu\": %.1f}\n", calls, cpu()-before)
}

// CPU microseconds of this process, user and system, the collector's threads included.
func cpu() float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return float64(usage.Utime.Sec+usage.Stime.Sec)*1e6 + float64(usage.Utime.Usec+usage.Stime.Usec)
}
