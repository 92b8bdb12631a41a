package cli

import (
	"rowbatch/batch/action"
)

// parseWhen checks the expression before anything is read. Of a mixed file the
// rows decide later which names are known.
func (f *actionFlags) parseWhen(j job) error {
	switch {
	case f.when == "":
		return nil
	case !j.reaches(action.SystemFusebill):
		return usage("leave --when out, and choose the rows in the file", "--when cannot be used for %s: the API has no call that reads a customer", j.name)
	}
	_, err := condition(f.when, j.readsOverview())
	return err
}

func condition(code string, overview bool) (*action.Condition, error) {
	c, err := action.NewCondition(code, overview)
	if err != nil {
		return nil, usage("rowbatch fields update", "--when %v", err)
	}
	return c, nil
}

// conditions compiles the expression for each action of the file's rows.
func (r *run) conditions() (map[string]*action.Condition, error) {
	all := map[string]*action.Condition{}
	if r.flags.when == "" {
		return all, nil
	}
	for _, s := range r.job.specs {
		name := s.Schema.Action
		switch {
		case !r.hasRows(name):
			continue
		case s.Schema.Unreadable:
			return nil, usage("give them a file of their own", "--when cannot be used for the file's %s rows: the API has no call that reads a customer", name)
		}
		c, err := condition(r.flags.when, s.Overview)
		if err != nil {
			return nil, err
		}
		all[name] = c
	}
	return all, nil
}

// hasRows says that rows of an action may be sent, by this run or, of a file that
// is shared, by any: what refuses one shard refuses all.
func (r *run) hasRows(action string) bool {
	if !r.flags.shard.some() || r.rows == nil {
		return r.work.countIn(action) > 0
	}
	whole := *r.rows
	whole.shard = shard{}
	return whole.countIn(action) > 0
}
