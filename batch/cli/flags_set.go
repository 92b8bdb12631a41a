package cli

import "github.com/spf13/pflag"

// setFlag is a flag that the user has set, as words of a command line.
type setFlag struct {
	name  string
	words []string
}

// remember keeps the flags as they were set, for the command that the summary ends with.
func (f *runFlags) remember(set *pflag.FlagSet) {
	set.Visit(func(flag *pflag.Flag) {
		name := "--" + flag.Name
		values := []string{flag.Value.String()}
		if list, ok := flag.Value.(pflag.SliceValue); ok {
			values = list.GetSlice()
		}
		s := setFlag{name: flag.Name}
		for _, value := range values {
			switch {
			case flag.NoOptDefVal == "":
				s.words = append(s.words, name, quoteWord(value))
			case value == flag.NoOptDefVal:
				s.words = append(s.words, name)
			}
		}
		f.set = append(f.set, s)
	})
}
