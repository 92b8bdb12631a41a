package batch

import "time"

// Forecast is what a run said that sending takes, before anything was sent.
type Forecast struct {
	Requests  int       `json:"requests"`
	AtMost    bool      `json:"at_most"` // fewer may do
	Seconds   float64   `json:"seconds"` // until the last one, waits for the account's limits included; at most a year
	Finish    time.Time `json:"finish"`  // if it begins at once
	PerMinute float64   `json:"per_minute,omitempty"`

	EnoughToday bool      `json:"enough_today"`         // it is not held up by the end of a day's allowance
	LeftToday   *int      `json:"left_today,omitempty"` // requests; nil: not known
	Stops       time.Time `json:"stops,omitzero"`       // when that allowance is used up
	Renewed     time.Time `json:"renewed,omitzero"`     // and when the next begins
}
