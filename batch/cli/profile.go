package cli

import (
	"cmp"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"rowbatch/batch"
	"rowbatch/batch/action"
	"rowbatch/batch/profile"
	"rowbatch/batch/ui"
)

func newProfile() *cobra.Command {
	cmd := &cobra.Command{
		Use: "profile", Short: "Accounts by name: add, list, show, use, remove",
		Long: `profile keeps accounts by name, in a file of yours alone, which never holds a key:
addresses, the pace, whether they may be written to, and the word by which questions
and reports name them. A command goes to one by --profile NAME, by ROWBATCH_PROFILE,
or to the one that "profile use" names. rowbatch help settings has the rest.`,
		Example: "  rowbatch profile add main --word PRODUCTION\n  rowbatch login --profile main\n  rowbatch profile use main",
		Args:    noArgument,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newProfileAdd(), newProfileList(), newProfileShow(), newProfileUse(), newProfileRemove())
	return cmd
}

func newProfileAdd() *cobra.Command {
	var p profile.Profile
	var a profile.Account
	system := action.SystemFusebill
	cmd := &cobra.Command{
		Use: "add NAME", Short: "Add an account, or to a profile the account of the other API",
		Long: `add keeps an account under a name. Its key comes after that, by "rowbatch login", or by
--key-command or --key-file: no flag takes a key. A mixed file needs one profile with
accounts of both APIs: add it twice, with another --api.`,
		Example: `  rowbatch profile add main --word PRODUCTION --colour red --reserve 30%
  rowbatch profile add look --key-command 'pass show fusebill' --read-only
  rowbatch profile add main --api trackfinity --username admin --url URL
  rowbatch profile add play --sandbox`,
		Args: oneProfile(),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			for _, path := range []*string{&p.Reports, &a.KeyFile} {
				if *path != "" {
					if *path, err = filepath.Abs(*path); err != nil {
						return err
					}
				}
			}
			p.Name = args[0]
			f, err := profile.Change(func(f *profile.File) error { return f.Add(p, system, a) })
			if err != nil {
				return err
			}
			shown, next := f.Show(f.Profiles[p.Name]), ""
			if !p.Sandbox && a.KeyCommand == "" {
				next = "next: rowbatch login --profile " + p.Name
				if len(shown.Accounts) > 1 {
					next += " --api " + system
				}
				next += "\n"
			}
			return show(cmd, shown, func(w io.Writer) error {
				_, err := fmt.Fprintf(w, "%s: %s stands in %s\n%s", p.Name, shown.Host, f.Path, next)
				return err
			})
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&system, "api", system, "`API` of the account: fusebill or trackfinity")
	f.StringVar(&a.URL, "url", "", "`URL` of the API (default: of Fusebill "+profile.DefaultURL+")")
	f.StringVar(&a.Username, "username", "", "`NAME` of the admin whose key it is, of Trackfinity")
	f.StringVar(&a.KeyCommand, "key-command", "", "`COMMAND` whose last line is the key, such as 'pass show fusebill'")
	f.StringVar(&a.KeyFile, "key-file", "", "`FILE` of mode 0600 that holds the key and nothing else")
	f.StringVar(&a.Rate, "rate", "", "most requests, as `N/s` or N/m, unless a command says otherwise")
	f.StringVar(&a.Reserve, "reserve", "", "share `P%` of its limit left to its other users, unless a command says otherwise")
	f.StringVar(&p.Reports, "reports", "", "folder `DIR` where its run folders go")
	f.BoolVar(&p.ReadOnly, "read-only", false, "nothing may be written to it: dry runs and exports go")
	f.StringVar(&p.Word, "word", "", "`WORD` that stands in every question, page and summary, such as PRODUCTION (default: its name)")
	f.StringVar(&p.Colour, "colour", "", "`COLOUR` of the word: "+strings.Join(profile.Colours(), ", "))
	f.BoolVar(&p.Sandbox, "sandbox", false, "it is the embedded stand-in")
	return cmd
}

// profiles reads the file of profiles.
func profiles() (*profile.File, error) {
	path, err := profile.Path()
	if err != nil {
		return nil, err
	}
	return profile.Read(path)
}

func oneProfile() cobra.PositionalArgs { return one("profile's NAME", "main") }

func newProfileList() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the profiles", Example: "  rowbatch profile list", Args: noArgument,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f, err := profiles()
			if err != nil {
				return err
			}
			all := []profile.Shown{}
			for _, name := range f.Names() {
				all = append(all, f.Show(f.Profiles[name]))
			}
			return showTable(cmd, all, func(w ui.Screen) {
				if len(all) == 0 {
					w.Printf("there are no profiles yet\nnext: rowbatch login\n")
					return
				}
				table := [][]any{w.Heading("NAME", "WORD", "ACCOUNT", "KEY FROM")}
				for _, s := range all {
					table = append(table, []any{s.Name, s.Word, s.Host, strings.Join(append(s.KeysFrom(), s.Remarks()...), ", ")})
				}
				w.Table(0, table...)
			})
		},
	}
}

func newProfileShow() *cobra.Command {
	return &cobra.Command{
		Use: "show [NAME]", Short: "Show a profile, or the one in use", Example: "  rowbatch profile show main",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return oneProfile()(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			f, err := profiles()
			if err != nil {
				return err
			}
			name := strings.Join(append(args, f.Use)[:1], "")
			if name == "" {
				return batch.Usage("rowbatch profile list", "no profile is in use")
			}
			p, err := f.Find(name, "the command line")
			if err != nil {
				return err
			}
			return showTable(cmd, f.Show(p), func(w ui.Screen) { printProfile(w, f.Show(p), f.Path) })
		},
	}
}

func printProfile(w ui.Screen, s profile.Shown, path string) {
	var table [][]any
	line := func(name, text string) {
		if text != "" {
			table = append(table, []any{name, text})
		}
	}
	line("name", strings.Join(append([]string{s.Name}, s.Remarks()...), ", "))
	line("word", strings.TrimSuffix(s.Word+", "+s.Colour, ", "))
	line("reports", s.Reports)
	for _, a := range s.Accounts {
		line(a.API, a.URL)
		line("  username", a.Username)
		line("  key from", strings.Join(a.KeyFrom, ", then "))
		line("  rate", a.Rate)
		line("  reserve", a.Reserve)
	}
	line("stands in", path)
	w.Table(0, table...)
}

func newProfileUse() *cobra.Command {
	return &cobra.Command{
		Use: "use NAME", Short: "Let commands go to a profile that name none",
		Long: `use lets all commands go to a profile that name none by --profile or ROWBATCH_PROFILE.
Variables such as FUSEBILL_API_KEY go before it.`,
		Example: "  rowbatch profile use main",
		Args:    oneProfile(),
		RunE: func(cmd *cobra.Command, args []string) error {
			var p *profile.Profile
			f, err := profile.Change(func(f *profile.File) (err error) {
				if p, err = f.Find(args[0], "the command line"); err == nil {
					f.Use, err = p.Name, f.Set(p.Name, "use")
				}
				return err
			})
			if err != nil {
				return err
			}
			err = show(cmd, f.Show(p), func(w io.Writer) error {
				_, err := fmt.Fprintf(w, "in use: %s, %s\n", p.Label(), p.Host())
				return err
			})
			return cmp.Or(err, newAccounts(cmd).Overridden(p, cmd.ErrOrStderr()))
		},
	}
}

func newProfileRemove() *cobra.Command {
	return &cobra.Command{
		Use: "remove NAME", Short: "Remove a profile, and its keys from the keyring",
		Long:    "remove takes a profile out of the file, and its keys out of the keyring. A key_file stays.",
		Example: "  rowbatch profile remove main",
		Args:    oneProfile(),
		RunE: func(cmd *cobra.Command, args []string) error {
			left, err := newAccounts(cmd).Remove(args[0])
			if err != nil {
				return err
			}
			for _, text := range left {
				fmt.Fprintln(cmd.ErrOrStderr(), "rowbatch: "+text)
			}
			return show(cmd, map[string]string{"removed": args[0]}, func(w io.Writer) error {
				_, err := fmt.Fprintf(w, "%s is removed\n", args[0])
				return err
			})
		},
	}
}
