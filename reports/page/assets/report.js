
// report.html: the parts above, over the data that stands in the page itself.
const data = JSON.parse(document.getElementById('data').textContent);
const find = (s) => document.querySelector(s);
stack(find('[data-stack]'), data.counts, data.kinds);
if (find('[data-plot]')) plot(find('[data-plot]'), data.minutes, data);
if (data.rows.length < data.all) {
  find('[data-cut]').hidden = false;
  find('[data-cut] p').textContent = `This page holds ${count(data.rows.length)} of ${count(data.all)} rows: those that need work before all `
    + `others, as many as a browser opens with ease. The counts are of all of them; every row stands in ${data.files}.`;
}
controls(document, new Rows(find('[data-rows]'), { rows: data.rows, fixes: data.fixes, shown: find('[data-shown]'), files: data.files }));
