package mapping

import "math"

// lineNumbers are the lines at which rows start, in ascending order: little more
// than a byte a row.
type lineNumbers struct {
	steps  chunked[uint8] // from the row before; farAway for those in far
	firsts chunked[int]   // of every stride-th row
	far    map[int]int
	last   int
}

const (
	stride  = 64
	farAway = math.MaxUint8
)

func (l *lineNumbers) add(line int) {
	n, step := l.steps.n, line-l.last
	l.last = line
	if n%stride == 0 {
		l.firsts.add(line)
	}
	if step < 0 || step >= farAway {
		if l.far == nil {
			l.far = map[int]int{}
		}
		l.far[n], step = step, farAway
	}
	l.steps.add(uint8(step))
}

// at returns a row's line.
func (l *lineNumbers) at(n int) int {
	start := n / stride * stride
	line := *l.firsts.at(n / stride)
	for i := start + 1; i <= n; i++ {
		if step := *l.steps.at(i); step != farAway {
			line += int(step)
		} else {
			line += l.far[i]
		}
	}
	return line
}
