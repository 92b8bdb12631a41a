// Command rowbatch carries out the rows of a spreadsheet as edits of billing customers.
package main

import (
	"os"

	"rowbatch/batch/cli"
)

func main() {
	os.Exit(cli.Main(os.Args[1:]))
}
