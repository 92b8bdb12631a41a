package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"rowbatch/batch"
	"rowbatch/batch/profile"
	"rowbatch/client/sandbox"
	"rowbatch/samples"
)

func newSandbox() *cobra.Command {
	var addr string
	var fail []string
	o := sandbox.Options{Seed: samples.Seed()}
	cmd := &cobra.Command{
		Use: "sandbox", Short: "Serve the embedded stand-in for both APIs on a loopback address",
		Long: `sandbox serves the embedded stand-in for both APIs until Ctrl-C: 300
invented customers, the API's limits and errors, and faults on demand. Its state
outlives it; it is the one that --sandbox uses (ROWBATCH_SANDBOX_DIR moves it).

` + sandbox.FaultHelp,
		Example: `  rowbatch sandbox --addr 127.0.0.1:8642
  rowbatch sandbox --fail put:500:every=50 --fail any:lost:rate=5%
  rowbatch sandbox --minute 50 --day 5000 --reset`,
		Args: noArgument,
		RunE: func(cmd *cobra.Command, _ []string) error { return serveSandbox(cmd, addr, fail, o) },
	}
	s := cmd.Flags()
	s.SortFlags = false
	s.StringVar(&addr, "addr", "127.0.0.1:8642", "loopback `ADDRESS` to serve on; port 0 takes a free one")
	s.IntVar(&o.Minute, "minute", 1000, "requests allowed a minute")
	s.IntVar(&o.Day, "day", 180_000, "requests allowed a day")
	s.StringArrayVar(&fail, "fail", nil, "fault `SPEC` (repeatable)")
	s.IntVar(&o.Customers, "customers", 0, "with a new state: how many `N` customers (default: those of the seed)")
	s.BoolVar(&o.Reset, "reset", false, "start anew from the seed")
	return cmd
}

func serveSandbox(cmd *cobra.Command, addr string, fail []string, o sandbox.Options) (err error) {
	if o.Minute < 1 || o.Day < 1 || o.Customers < 0 {
		return batch.Usage("rowbatch sandbox --minute 1000 --day 180000", "--minute and --day must be at least 1, --customers not negative")
	}
	if o.Faults, err = sandbox.ParseFaults(fail); err != nil {
		return batch.Usage("rowbatch sandbox --help", "--fail: %v", err)
	}
	if o.Dir, err = newAccounts(cmd).SandboxDir(); err != nil {
		return err
	}
	listener, err := listenLoopback(cmd.Context(), addr)
	if err != nil {
		return err
	}
	defer listener.Close()
	box, err := sandbox.Open(o)
	if err != nil {
		return profile.SandboxTrouble(o.Dir, err)
	}
	at := "http://" + listener.Addr().String()
	settings := []string{"FUSEBILL_URL", at + "/v1", "FUSEBILL_API_KEY", profile.SandboxKey,
		"TRACKFINITY_URL", at + "/api", "TRACKFINITY_API_KEY", profile.TrackfinityKey, "TRACKFINITY_API_USERNAME", profile.TrackfinityUser}
	named := map[string]string{}
	for pair := range slices.Chunk(settings, 2) {
		named[pair[0]] = pair[1]
	}
	err = show(cmd, named, func(w io.Writer) (err error) {
		for pair := range slices.Chunk(settings, 2) {
			_, err = fmt.Fprintf(w, "export %s=%s\n", pair[0], pair[1])
		}
		return err
	})
	if err != nil {
		return errors.Join(err, box.Close())
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "sandbox: serving on http://%s; Ctrl-C ends it\n", listener.Addr())
	return errors.Join(serve(cmd.Context(), listener, box), box.Close())
}

// listenLoopback refuses to show the sandbox to a network.
func listenLoopback(ctx context.Context, addr string) (net.Listener, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, batch.Usage("--addr 127.0.0.1:0", "cannot serve on %s: %v", addr, err)
	}
	if tcp, ok := listener.Addr().(*net.TCPAddr); !ok || !tcp.IP.IsLoopback() {
		listener.Close()
		return nil, batch.Usage("--addr 127.0.0.1:8642", "%s is no loopback address", addr)
	}
	return listener, nil
}

func serve(ctx context.Context, listener net.Listener, handler http.Handler) error {
	ctx, end := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer end()
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	go func() {
		<-ctx.Done()
		server.Close()
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
