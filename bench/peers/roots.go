// roots CALLS WARM-UP FILE SUBJECT-DER-HEX: crypto/x509 reads a bundle of roots into a pool and says whether it has one with such a subject.
package main

import (
	"bytes"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"os"
	"strconv"
	"syscall"
)

func main() {
	calls, _ := strconv.Atoi(os.Args[1])
	warmUp, _ := strconv.Atoi(os.Args[2])
	subject, _ := hex.DecodeString(os.Args[4])
	var before float64
	for i := -warmUp; i < calls; i++ {
		if i == 0 {
			before = cpu()
		}
		bundle, err := os.ReadFile(os.Args[3])
		if err != nil {
			panic(err)
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(bundle) || !has(pool, subject) {
			panic("not found")
		}
	}
	fmt.Printf("{\"calls\": %d, \"cpu\": %.1f}\n", calls, cpu()-before)
}

func has(pool *x509.CertPool, subject []byte) bool {
	for _, one := range pool.Subjects() {
		if bytes.Equal(one, subject) {
			return true
		}
	}
	return false
}

// CPU microseconds of this process, user and system, the collector's threads included.
func cpu() float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return float64(usage.Utime.Sec+usage.Stime.Sec)*1e6 + float64(usage.Utime.Usec+usage.Stime.Usec)
}
