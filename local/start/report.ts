/** A run's summary as tables that a person reads. */
import { colors } from '../terminal/colors.ts';
import { formatNumber } from '../terminal/numbers.ts';
import { heading, table } from '../terminal/table.ts';
import type { PostSummary, Summary, ValuePerformance } from './summary.ts';

const POSTS_SHOWN = 10;
const VALUES_SHOWN = 2;

export function report(summary: Summary): string {
  return [
    heading('Reads', 'each number came from a page in a real browser'),
    readsTable(summary),
    heading('Followers', 'what was observed, split so that the parts add up'),
    followersTable(summary),
    heading(
      'Posts',
      `the ${POSTS_SHOWN} that brought most followers within 48 h, with 90 % intervals`,
    ),
    postsTable(summary.posts),
    heading('What works', 'effect on the reward, in units of its own spread, with 80 % intervals'),
    performanceTable(summary),
    heading('Jobs', 'what each expected and did'),
    jobsTable(summary),
    heading('The next post', `drawn with probability ${summary.recommendation.propensity}`),
    summary.recommendation.prompt,
  ].join('\n');
}

function readsTable({ collections, metrics_rows, metrics_exact, follower_snapshots }: Summary) {
  return table(
    ['', 'count'],
    [
      ['reads due', formatNumber(collections.due)],
      ...Object.entries(collections.by_outcome).map(([outcome, n]) => [
        `  ${outcome}`,
        formatNumber(n),
      ]),
      ['numbers stored', formatNumber(metrics_rows)],
      ['stored = shown on the page', metrics_exact ? colors.green('every one') : colors.red('no')],
      ['follower counts', formatNumber(follower_snapshots)],
    ],
  );
}

function followersTable({ followers }: Summary) {
  const share = (part: number) =>
    followers.observed === 0 ? '' : `${((100 * part) / followers.observed).toFixed(0)} %`;
  return table(
    ['', 'followers', ''],
    [
      ['observed', signed(followers.observed), ''],
      ['  credited to posts', signed(followers.credited), share(followers.credited)],
      ['  organic', signed(followers.organic), share(followers.organic)],
      ['  unexplained', signed(followers.unexplained), share(followers.unexplained)],
    ],
  );
}

function postsTable(posts: PostSummary[]): string {
  if (posts.length === 0) return 'Nothing was posted.';
  const best = posts
    .toSorted((a, b) => (b.followers_gained ?? -1) - (a.followers_gained ?? -1))
    .slice(0, POSTS_SHOWN);
  return table(
    ['posted', 'topic', 'tone', 'impressions', 'engagement', 'followers', '90 %', '48 h change'],
    best.map((post) => [
      post.posted_at.slice(5, 16).replace('T', ' '),
      post.topic ?? '',
      post.tone ?? '',
      post.impressions === null ? '–' : formatNumber(post.impressions),
      post.engagement_rate === null ? '–' : `${(100 * post.engagement_rate).toFixed(1)} %`,
      post.followers_gained === null ? '–' : signed(post.followers_gained),
      interval(post.followers_gained_low, post.followers_gained_high),
      post.followers_gained_naive === null ? '–' : signed(post.followers_gained_naive),
    ]),
    { right: [3, 8] },
  );
}

function performanceTable({ performance }: Summary): string {
  const rows = Object.entries(performance).flatMap(([dimension, values]) =>
    best(values).map((value, index) => [
      index === 0 ? dimension : '',
      value.value,
      signed(value.effect, 2),
      interval(value.effect_low_80, value.effect_high_80, 2),
      `${(100 * value.prob_above_average).toFixed(0)} %`,
      String(value.uses),
    ]),
  );
  if (rows.length === 0) {
    return 'No value has shown anything yet: a post counts once it was read at 48 h.';
  }
  return table(['dimension', 'value', 'effect', '80 %', 'better than average', 'uses'], rows, {
    right: [2, 6],
  });
}

const best = (values: ValuePerformance[]) => values.slice(0, VALUES_SHOWN);

function jobsTable({ runs }: Summary): string {
  return table(
    ['job', 'runs', 'failed', 'expected', 'done'],
    runs.map((run) => [
      run.job,
      formatNumber(run.runs),
      run.failed > 0 ? colors.red(formatNumber(run.failed)) : '0',
      formatNumber(run.expected),
      formatNumber(run.done),
    ]),
  );
}

const signed = (n: number, digits = 1) => `${n >= 0 ? '+' : '−'}${Math.abs(n).toFixed(digits)}`;
const interval = (low: number | null, high: number | null, digits = 1) =>
  low === null || high === null ? '' : `${signed(low, digits)} to ${signed(high, digits)}`;
