// Package runs keeps a run's folder on disk:
//
//	reports/20261120T215200Z-update-customers/
//	    .gitignore   keeps customers' data out of version control
//	    rows.csv     the input's rows, copied before the first request
//	    journal      what was intended, sent and answered: the run's truth
//	    lock         held by the process that writes the journal
//	    report.csv … derived from the two; may be written again at any time
//
// The folder is private to its owner (0700, files 0600). A folder without a
// journal is not a run. Every method's error that is about writing is a
// [*WriteError], after which no request should be sent.
package runs
