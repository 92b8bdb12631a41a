package xlsxfile

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/xuri/nfp"
)

const (
	secondsOfDay = 24 * 60 * 60
	lastSerial   = 2958465 // 9999-12-31, in the system of 1900
)

// parts are those of a moment that a format shows.
type parts struct {
	year, month, day, hour, minute, second, elapsedHours, odd bool
}

// partsOf reads the letters of a format: m is a minute after hours and before
// seconds, else a month.
func partsOf(s *section) (p parts) {
	var letters []string
	for _, item := range s.items {
		switch item.TType {
		case nfp.TokenTypeDateTimes:
			letters = append(letters, strings.ToLower(item.TValue))
		case nfp.TokenTypeElapsedDateTimes:
			letters = append(letters, "["+strings.ToLower(item.TValue))
		case nfp.TokenTypeGeneral, nfp.TokenTypeTextPlaceHolder, nfp.TokenTypePercent:
			p.odd = true
		}
	}
	for i, text := range letters {
		switch text[0] {
		case 'y', 'e':
			p.year = true
		case 'd':
			p.day = p.day || len(text) <= 2 // else the day of the week
		case 'h':
			p.hour = true
		case 's':
			p.second = true
		case 'm':
			after := i > 0 && strings.Trim(letters[i-1], "[h") == ""
			before := i+1 < len(letters) && letters[i+1][0] == 's'
			p.minute = p.minute || after || before
			p.month = p.month || !after && !before
		case '[':
			p.elapsedHours = text[1] == 'h'
			p.odd = p.odd || !p.elapsedHours
		case 'a':
			p.odd = p.odd || !strings.Contains(text, "/") // else AM/PM
		default:
			p.odd = true
		}
	}
	return p
}

// showMoment shows a date, a time or a duration, in ISO's way whatever the format's.
func showMoment(s *section, text string, serial float64, from1904 bool) (string, Form) {
	p := partsOf(s)
	days := math.Floor(serial)
	seconds := math.Round((serial - days) * secondsOfDay)
	if seconds == secondsOfDay {
		days, seconds = days+1, 0
	}
	clock := fmt.Sprintf("%02d:%02d", int(seconds)/3600, int(seconds)/60%60)
	if p.second {
		clock += fmt.Sprintf(":%02d", int(seconds)%60)
	}
	switch isDate := p.year && p.month && p.day; {
	case p.odd, serial < 0:
		return text, OddFormat
	case p.elapsedHours && p.minute && days <= lastSerial:
		return fmt.Sprintf("%d%s", int(days)*24+int(seconds)/3600, clock[2:]), Date
	case p.hour && p.minute && !p.year && !p.month && !p.day && days == 0:
		return clock, Date
	case !isDate || p.minute && !p.hour:
		return text, PartOfDate
	case !p.hour:
		clock = ""
	default:
		clock = " " + clock
	}
	start := time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)
	switch {
	case from1904:
		start = time.Date(1904, 1, 1, 0, 0, 0, 0, time.UTC)
	case days < 1 || days == 60: // 1900-01-00 and 1900-02-29 are days of spreadsheets alone
		return text, NoSuchDay
	case days < 60:
		start = start.AddDate(0, 0, 1)
	}
	if days > lastSerial {
		return text, NoSuchDay
	}
	return start.AddDate(0, 0, int(days)).Format(time.DateOnly) + clock, Date
}

// isoMoment shows a cell of the type that holds ISO's own text.
func isoMoment(text string) (string, Form) {
	for _, layout := range []string{time.DateOnly, "2006-01-02T15:04:05", time.RFC3339, "2006-01-02T15:04"} {
		t, err := time.Parse(layout, strings.TrimSpace(text))
		switch {
		case err != nil:
			continue
		case t.Hour()+t.Minute()+t.Second() == 0:
			return t.Format(time.DateOnly), Date
		case t.Second() == 0:
			return t.Format("2006-01-02 15:04"), Date
		}
		return t.Format(time.DateTime), Date
	}
	return text, Unreadable
}
