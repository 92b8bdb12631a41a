// Package sandbox is a stand-in for the Fusebill API: an http.Handler with
// customers, rate limits and faults on demand. It answers as the vendor's pages
// say (developer.staxbill.com/reference), and where they are silent it takes the
// harsher reading, so that a tool that works against it harms nobody elsewhere:
// a PUT nulls every field that it leaves out, string matches are exact to the
// letter case, a cancelled customer cannot be written.
//
// Customers are kept as raw JSON. A field whose value a write does not change
// keeps its bytes: the spelling of its number, its place in the object.
package sandbox
