// Package sandbox is a stand-in for the Fusebill API (under /v1) and the
// Trackfinity API (under /api): one http.Handler with customers, rate limits and
// faults on demand. It answers as the vendors' pages say
// (developer.staxbill.com/reference, docs.trackfinity.com/api), and where they are
// silent it takes the harsher reading, so that a tool that works against it harms
// nobody elsewhere: a PUT nulls every field that it leaves out, a latch clears the
// id that it leaves out, an empty value of a form empties the field, string
// matches are exact to the letter case, a cancelled customer cannot be written.
//
// Customers are kept as raw JSON. A field whose value a write does not change
// keeps its bytes: the spelling of its number, its place in the object.
package sandbox
