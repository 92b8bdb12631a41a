// Package governor keeps all callers of one account within the account's limits,
// as the headers of its replies tell them. It makes no request itself: callers take
// a [Lease] before they ask, and tell it by an [Observation] what came of each request.
//
// A limit holds for a window of fixed length, a minute or a day; a reply says how
// much of it is left and when it is reset (developer.staxbill.com/reference/rate-limits).
// The rules, for n requests that are to leave together:
//
//   - While the server has asked to be left alone, has answered 429 or has not answered
//     five requests in a row, nothing leaves until the pause is over. Pauses double,
//     up to a minute.
//   - Where nothing is known (before the first reply, in an outage, at the start of a
//     window of which no reply has come) one lease at a time goes ahead, as a probe.
//     Whatever becomes of a probe, the next caller may be one.
//   - In each window that is known, permits count as spent from the moment they are
//     given. What is left after that must cover n, the reserve, and what the account's
//     other users are on the way to need until the window ends. Else callers wait for
//     its end, or until that need has shrunk.
//
// The other users' need is learned: what the headers say was used, less our own
// requests, is theirs. Replies overtake each other, so this is counted exactly only
// when all requests are answered that were on their way at a reply.
//
// A window's end is kept by the server's clock, and compared with ours by bounds on
// the skew between the two, which each reply's Date narrows. Our own clock is one that
// nobody sets back, and that goes on while a laptop sleeps.
//
// The decisions are steps of a value from one state to the next at a given time; the
// [Governor] around it does nothing but wait. So all of it is tested in virtual time.
package governor
