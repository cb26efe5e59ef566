// The score in the browser: exactly the rule of siteselect/scoring.py.
//
// Each criterion is worth 0 to 1 by a straight line between `worst` and `best`, clipped; unknown
// (null) and unreachable (Infinity, "inf") are worth 0. Weights are normalised inside each group,
// then between groups. `weights` = {access, workforce, network}; `criteria` = {group: {measure:
// {weight, best, worst}}}; `measures` = {measure: array}. tests/web/test_scoring_js.py holds the
// two rules together.
export const GROUPS = ["access", "workforce", "network"];

/** One entry a criterion, with its share of its group and of the score; null when nothing weighs. */
export function shares(weights, criteria) {
  const total = GROUPS.reduce((sum, group) => sum + Number(weights[group] ?? 0), 0);
  if (!(total > 0)) return null;
  const found = [];
  for (const group of GROUPS) {
    const members = Object.entries(criteria[group] ?? {});
    const inner = members.reduce((sum, [, one]) => sum + Number(one.weight), 0);
    if (!(inner > 0) && weights[group] > 0) return null;
    for (const [measure, one] of members) {
      const part = inner > 0 ? one.weight / inner : 0;
      found.push({ group, measure, best: one.best, worst: one.worst, part,
        share: (part * Number(weights[group] ?? 0)) / total });
    }
  }
  return found;
}

/** Linear value of one measure. */
export function worth(measured, { best, worst }) {
  if (measured === null || measured === undefined || !Number.isFinite(measured)) return 0;
  return Math.min(1, Math.max(0, (measured - worst) / (best - worst)));
}

/** Scores of every site, into ``out`` where it is given. */
export function scores(parts, measures, count, out = new Float64Array(count)) {
  out.fill(0);
  for (const one of parts) {
    const column = measures[one.measure];
    if (!column || one.share === 0) continue;
    const { share, worst } = one, span = one.best - one.worst;
    for (let i = 0; i < count; i++) {
      const measured = column[i];
      if (measured === null || !Number.isFinite(measured)) continue;
      const value = (measured - worst) / span;
      out[i] += share * (value < 0 ? 0 : value > 1 ? 1 : value);
    }
  }
  for (let i = 0; i < count; i++) if (out[i] > 1) out[i] = 1;
  return out;
}

/** Positions by score, best first, ties (under 3e-11) by the order of the rows; rank[i] is 1 for
    the best. Rows that ``kept`` (Uint8Array) leaves out have rank 0. */
export function ranks(score, kept = null) {
  // score and row in one number (35 + 17 bits): numbers sort ten times faster than by a function
  const keys = new Float64Array(score.length);
  let n = 0;
  for (let i = 0; i < score.length; i++) {
    if (!kept || kept[i]) keys[n++] = Math.round((1 - score[i]) * SCORE_STEPS) * MOST_ROWS + i;
  }
  const used = keys.subarray(0, n).sort();
  const order = new Int32Array(n), rank = new Int32Array(score.length);
  for (let k = 0; k < n; k++) {
    order[k] = used[k] % MOST_ROWS;
    rank[order[k]] = k + 1;
  }
  return { order, rank };
}
const SCORE_STEPS = 2 ** 35, MOST_ROWS = 2 ** 17;
