package batch

// offsets are places in a journal by row: 5 bytes for each row of a block in
// which there is any, up to a terabyte.
type offsets struct{ blocks []*[5 * offsetBlock]byte }

const (
	offsetBlock = 1 << 12
	mostOffset  = 1<<40 - 2
)

func newOffsets(rows int) offsets {
	return offsets{make([]*[5 * offsetBlock]byte, (rows+offsetBlock-1)/offsetBlock)}
}

// at returns a row's place.
func (o *offsets) at(row int) (offset int64, known bool) {
	block := o.blocks[row/offsetBlock]
	if block == nil {
		return 0, false
	}
	b := block[5*(row%offsetBlock):][:5]
	offset = int64(b[0]) | int64(b[1])<<8 | int64(b[2])<<16 | int64(b[3])<<24 | int64(b[4])<<32
	return offset - 1, offset != 0
}

func (o *offsets) has(row int) bool {
	_, known := o.at(row)
	return known
}

func (o *offsets) set(row int, offset int64) { o.put(row, offset+1) }

func (o *offsets) clear(row int) {
	if o.has(row) {
		o.put(row, 0)
	}
}

func (o *offsets) put(row int, v int64) {
	block := &o.blocks[row/offsetBlock]
	if *block == nil {
		*block = new([5 * offsetBlock]byte)
	}
	b := (*block)[5*(row%offsetBlock):][:5]
	b[0], b[1], b[2], b[3], b[4] = byte(v), byte(v>>8), byte(v>>16), byte(v>>24), byte(v>>32)
}

// any says that some row has a place.
func (o *offsets) any() bool {
	for _, block := range o.blocks {
		if block != nil && *block != [5 * offsetBlock]byte{} {
			return true
		}
	}
	return false
}
