package cli_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"

	"rowbatch/client"
)

// load is a bare load generator: the program's own transport, and nothing else.
type load struct {
	url       string
	transport *http.Transport
}

// loadBench is the process that makes so many rows' requests, and prints how long it took.
func loadBench() {
	l := &load{os.Args[1], client.NewTransport(benchWorkers)}
	row := map[string]func(string) error{"hold": l.hold, "update": l.update, "patch": l.patch}[os.Args[2]]
	rows, err := strconv.Atoi(os.Args[3])
	if err != nil {
		panic(err)
	}
	ids := make(chan string)
	var workers sync.WaitGroup
	began := time.Now()
	for range benchWorkers {
		workers.Go(func() {
			for id := range ids {
				if err := row(id); err != nil {
					panic(err)
				}
			}
		})
	}
	for n := range rows {
		ids <- strconv.Itoa(firstBenchID + n)
	}
	close(ids)
	workers.Wait()
	fmt.Print(time.Since(began))
}

func (l *load) hold(id string) error {
	if _, err := l.request(http.MethodGet, "/v1/customers/"+id+"/overview", nil); err != nil {
		return err
	}
	_, err := l.request(http.MethodPost, "/v1/CustomerHold/"+id, nil)
	return err
}

func (l *load) update(id string) error {
	customer, err := l.request(http.MethodGet, "/v1/customers/"+id, nil)
	if err == nil {
		_, err = l.request(http.MethodPut, "/v1/customers", customer)
	}
	return err
}

func (l *load) patch(id string) error {
	_, err := l.request(http.MethodPatch, "/api/customer/set_customer_details", []byte("customer_id="+id+"&firstname=Ada"))
	return err
}

func (l *load) request(method, path string, body []byte) ([]byte, error) {
	r, err := http.NewRequest(method, l.url+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	res, err := l.transport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s %s: %s", method, path, res.Status)
	}
	return io.ReadAll(res.Body)
}
