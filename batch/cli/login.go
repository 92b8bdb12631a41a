package cli

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"rowbatch/batch"
	"rowbatch/batch/job"
	"rowbatch/batch/profile"
	"rowbatch/batch/ui"
	"rowbatch/client"
)

func newLogin() *cobra.Command {
	var l profile.Login
	cmd := &cobra.Command{
		Use: "login", Short: "Try an account's key, and keep it in the keyring",
		Long: `login asks for a key without showing it, tries it with one request that changes nothing,
says whose account it opens, and keeps it in the keyring of this system. Without a
terminal the key is one line on standard input. Without profiles it makes the profile
"default", for Fusebill, and lets commands use it.

Where there is no keyring, as on a server, it offers a file of mode 0600 in its place;
--key-file says so from the first. A profile with a key_file keeps the key there.`,
		Example: `  rowbatch login
  rowbatch login --profile main --api trackfinity
  pass show fusebill | rowbatch login --profile main --key-file ~/.fusebill-key`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return batch.Usage("rowbatch login alone, which asks for the key", // what stands there may be one, and is not repeated
				"login takes nothing but flags: a key on the command line would stand in the shell's history and in the list of processes")
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return login(cmd, &l) },
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&l.Profile, "profile", "", "the profile `NAME` whose key it is (default: the one in use)")
	f.StringVar(&l.API, "api", "", "`API` of the key, where the profile has accounts of both: fusebill or trackfinity")
	f.StringVar(&l.KeyFile, "key-file", "", "keep the key in `FILE`, mode 0600, in place of the keyring")
	return cmd
}

// login asks, tries and keeps.
func login(cmd *cobra.Command, l *profile.Login) (err error) {
	l.Accounts, l.Program = newAccounts(cmd), Version
	if l.KeyFile != "" {
		if l.KeyFile, err = filepath.Abs(l.KeyFile); err != nil {
			return err
		}
	}
	if err := l.Choose(); err != nil {
		return err
	}
	key, err := typedKey(cmd, "The key of "+l.What()+" (it is not shown): ")
	if err != nil {
		return err
	}
	c := job.NewControl(cmd.Context())
	defer c.Halt(nil)
	opened, err := l.Try(c, key)
	if err != nil {
		return err
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "the key opens %s: %s\n", l.What(), opened)
	kept, err := l.Keep(key)
	if missing := (*profile.NoKeyringError)(nil); errors.As(err, &missing) {
		t := &ui.Terminal{In: cmd.InOrStdin(), Out: cmd.OutOrStdout(), Err: cmd.ErrOrStderr()}
		text := err.Error() + "\nKeep it in " + missing.File + ", which you alone can read?"
		if !t.Attended() || !t.Ask(cmd.Context(), job.Question{Text: text, Agrees: "yes"}) {
			return missing.Refusal()
		}
		l.KeyFile = missing.File
		kept, err = l.Keep(key)
	}
	if err != nil {
		return err
	}
	err = show(cmd, map[string]string{"opened": opened, "kept": kept}, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "kept in %s\nnext: rowbatch doctor%s\n", kept, l.Flag())
		return err
	})
	return cmp.Or(err, l.Overridden(cmd.ErrOrStderr()))
}

// typedKey reads a key: from a terminal without showing it, else one line.
func typedKey(cmd *cobra.Command, prompt string) (client.Secret, error) {
	const longest = 1 << 16
	in, _ := cmd.InOrStdin().(*os.File)
	if in == nil || !term.IsTerminal(int(in.Fd())) {
		line, err := bufio.NewReader(io.LimitReader(cmd.InOrStdin(), longest)).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return "", err
		}
		return someKey(line)
	}
	state, err := term.GetState(int(in.Fd()))
	if err != nil {
		return "", err
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt)
	defer signal.Stop(signals)
	typed := make(chan error, 1)
	var line []byte
	fmt.Fprint(cmd.ErrOrStderr(), prompt)
	go func() { // ends with the process: a read from a terminal cannot be taken back
		var err error
		line, err = term.ReadPassword(int(in.Fd()))
		typed <- err
	}()
	select {
	case err = <-typed:
		fmt.Fprintln(cmd.ErrOrStderr())
	case s := <-signals:
		fmt.Fprintln(cmd.ErrOrStderr())
		return "", errors.Join(ended(job.Signalled{Signal: s}.ExitCode()), term.Restore(int(in.Fd()), state))
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	return someKey(string(line))
}

func someKey(line string) (client.Secret, error) {
	if line = strings.TrimSpace(line); line == "" {
		return "", batch.Usage("rowbatch login on a terminal, or a key on standard input", "there is no key; nothing was kept")
	}
	return client.Secret(line), nil
}
