// Package action holds what a row can become. Each action is one file: its
// field table, and the pure functions that decide, apply and judge a change.
package action
