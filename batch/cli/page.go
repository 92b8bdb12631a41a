package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"github.com/google/renameio/v2/maybe"
	"github.com/spf13/cobra"

	"rowbatch/batch"
	"rowbatch/batch/action"
	"rowbatch/batch/job"
	"rowbatch/batch/profile"
	"rowbatch/batch/web"
)

func newUI() *cobra.Command {
	addr, noOpen, s := "", false, job.Defaults()
	cmd := &cobra.Command{
		Use: "ui", Short: "Look at edits, send, watch and undo them in the browser",
		Long: `ui serves a page on this machine, and opens it in the browser: choose a file, say
what its columns mean, look at what would change, strike out rows, send, watch,
stop, resume and undo. It stands on the same runs as the command line: what one
begins, the other shows and goes on with.

Only this machine can reach the page, and only a browser that has opened the
address with its token, which is printed first. Ctrl-C ends the program; a run
that is under way stops then, and can be resumed.`,
		Example: `  rowbatch ui --sandbox
  rowbatch ui --reports runs --addr 127.0.0.1:8700 --no-open`,
		Args: noArgument,
		RunE: func(cmd *cobra.Command, _ []string) error {
			accounts, err := pageAccounts(cmd, &s)
			if err != nil {
				return err
			}
			return servePage(cmd, addr, !noOpen, s, accounts)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&addr, "addr", "127.0.0.1:0", "loopback `ADDRESS` to serve on; port 0 takes a free one")
	f.BoolVar(&noOpen, "no-open", false, "print the address, and do not open the browser")
	s.BindAccount(f)
	f.StringVar(&s.Output.Reports, "reports", s.Output.Reports, "folder `DIR` where run folders go")
	return cmd
}

// servePage serves the page until a signal, or opens the one that is served already.
func servePage(cmd *cobra.Command, addr string, open bool, s job.Settings, accounts []web.Account) error {
	note, err := pageNote(s)
	if err != nil {
		return err
	}
	if address, is := servedAlready(cmd.Context(), note); is {
		if err := tellAddress(cmd, address); err != nil {
			return err
		}
		fmt.Fprintln(cmd.ErrOrStderr(), "rowbatch: the page is served already, by another rowbatch ui")
		return openPage(context.WithoutCancel(cmd.Context()), open, filepath.Dir(note), address)
	}
	listener, err := listenLoopback(cmd.Context(), addr)
	if err != nil {
		return err
	}
	defer listener.Close()
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer signal.Stop(signals)
	requests, cut := context.WithCancel(cmd.Context())
	defer cut()
	page, err := web.New(requests, listener.Addr(), web.Options{Settings: s, Accounts: accounts, Program: Version})
	if err != nil {
		return err
	}
	if err := tellAddress(cmd, page.Address()); err != nil {
		return err
	}
	fmt.Fprintln(cmd.ErrOrStderr(), "rowbatch: the page is at this address until Ctrl-C; who opens it may send edits")
	if err := maybe.WriteFile(note, []byte(inLine(page.Address())), 0o600); err != nil {
		return err
	}
	defer os.Remove(note)
	if err := openPage(cmd.Context(), open, filepath.Dir(note), page.Address()); err != nil {
		fmt.Fprintf(cmd.ErrOrStderr(), "rowbatch: the browser could not be opened (%v); open the address yourself\n", err)
	}
	serving, end := context.WithCancel(cmd.Context())
	defer end()
	served := make(chan error, 1)
	go func() { served <- page.Serve(serving, listener) }()
	select {
	case err := <-served:
		return err
	case sig := <-signals:
		page.Stop(sig)
		go func() { // a second one cuts off requests on their way
			<-signals
			cut()
		}()
		stopped := page.Wait()
		end()
		if stopped {
			fmt.Fprintln(cmd.ErrOrStderr(), "rowbatch: a run was stopped; rowbatch runs shows how to resume it")
			return ended(job.Signalled{Signal: sig}.ExitCode())
		}
	}
	return nil
}

func tellAddress(cmd *cobra.Command, address string) error {
	return show(cmd, map[string]string{"address": address}, func(w io.Writer) error {
		_, err := fmt.Fprintln(w, address)
		return err
	})
}

// pageAccounts are those that a page offers. Each run has its endpoints to itself.
func pageAccounts(cmd *cobra.Command, s *job.Settings) (all []web.Account, err error) {
	a, err := settled(cmd, s, action.SystemFusebill)
	if err != nil {
		return nil, err
	}
	choices, err := a.Choices(*s)
	for _, c := range choices {
		all = append(all, web.Account{Name: c.Name, Host: c.Host, Word: c.Word, Colour: c.Colour, Sandbox: c.Sandbox, Profile: c.Profile,
			Open: func() job.Opener { return a.Anew().Open }})
	}
	return all, err
}

// pageNote is the file that tells a second rowbatch ui where the first one is. Its
// folder is the user's own.
func pageNote(s job.Settings) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", batch.Usage("set XDG_CACHE_HOME to a folder", "there is no folder for the page's address: %v", err)
	}
	dir := filepath.Join(cache, "rowbatch", "ui")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	reports, err := filepath.Abs(s.Output.Reports)
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, profile.Fingerprint(fmt.Sprint(reports, s.Sending.Sandbox, s.Sending.Profile))+".json"), nil
}

func inLine(address string) string {
	text, err := json.Marshal(address)
	if err != nil {
		panic(err) // a text always encodes
	}
	return string(text) + "\n"
}

// servedAlready asks the address in a note whether a page is still there.
func servedAlready(ctx context.Context, note string) (address string, is bool) {
	text, err := os.ReadFile(note)
	if err != nil || json.Unmarshal(text, &address) != nil {
		return "", false
	}
	ctx, end := context.WithTimeout(ctx, 2*time.Second)
	defer end()
	ask, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return "", false
	}
	reply, err := new(http.Transport).RoundTrip(ask) // no proxy of the environment: it is this machine
	if err != nil {
		return "", false
	}
	return address, reply.Body.Close() == nil && reply.StatusCode == http.StatusOK
}

// openPage opens the browser by a file that leads on: the address, which has the
// token, would stand in the list of processes for everybody.
func openPage(ctx context.Context, wanted bool, dir, address string) error {
	if !wanted {
		return nil
	}
	f, err := os.CreateTemp(dir, "open-*.html") // 0600
	if err != nil {
		return err
	}
	text := html.EscapeString(address)
	const page = `<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0;url=%s"><title>rowbatch</title>` +
		`<a href="%s">rowbatch</a>`
	_, err = fmt.Fprintf(f, page, text, text)
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	opener := map[string][]string{"darwin": {"open"}, "windows": {"rundll32", "url.dll,FileProtocolHandler"}}[runtime.GOOS]
	if opener == nil {
		opener = []string{"xdg-open"}
	}
	browser := exec.CommandContext(ctx, opener[0], append(opener[1:], f.Name())...) //nolint:gosec // the system's own opener
	if err := browser.Start(); err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	go func() {
		_ = browser.Wait() // the page says whether it was opened
		time.Sleep(time.Minute)
		_ = os.Remove(f.Name())
	}()
	return nil
}
