/** `TweetActivityQuery`: what X shows an author about a post of their own. */
import { type Site, splitAnswer } from './numbers.ts';
import type { SitePost } from './payloads.ts';
import type { Reader } from './readers.ts';
import { type Answer, json, refusedAnswer, type Variant } from './variants.ts';

/** A number as X may send it; an absent one is left out of the grid. */
type Metric = number | string;

export type SiteAnalytics = {
  impressions?: Metric;
  engagements?: Metric;
  detailExpands?: Metric;
  profileVisits?: Metric;
  linkClicks?: Metric;
  follows?: Metric;
  /** Impressions of each hour of the first 48. */
  hourly?: { at: Date; impressions: number }[];
};

/** The names of the metrics on X. */
const METRIC_TYPES = {
  impressions: 'Impressions',
  engagements: 'Engagements',
  detailExpands: 'DetailExpands',
  profileVisits: 'ProfileVisits',
  linkClicks: 'LinkClicks',
  follows: 'Follows',
} as const;

/** What the analytics page asks for. */
export const REQUESTED_METRICS = Object.values(METRIC_TYPES);

/**
 * Answers `TweetActivityQuery`: to anybody but the author, and while X has nothing, an empty grid.
 * @returns null when the call is never answered
 */
export function answerAnalytics(
  site: Site,
  id: string,
  reader: Reader,
  forced: Variant | null,
): Answer | null {
  const { variant, numbers } = splitAnswer<SitePost>(site.numbers.post(id), forced);
  if (variant === 'silent') return null;
  const refused = variant && refusedAnswer(variant);
  if (refused) return refused;
  if (numbers === null) return json({ data: { tweet_result_by_rest_id: {} } });
  const author = reader.session?.handle?.toLowerCase();
  const isAuthor = author === numbers.handle.toLowerCase();
  return json(tweetActivity((isAuthor && site.numbers.analytics?.(id)) || {}));
}

function tweetActivity(analytics: SiteAnalytics) {
  const names = Object.keys(METRIC_TYPES) as (keyof typeof METRIC_TYPES)[];
  const result = {
    __typename: 'Tweet',
    datapoints_grid: names.flatMap((name) =>
      analytics[name] === undefined
        ? []
        : [{ metric_type: METRIC_TYPES[name], metric_value: analytics[name] }],
    ),
    organic_metrics_time_series: (analytics.hourly ?? []).map(({ at, impressions }) => ({
      metric_values: [{ metric_type: 'Impressions', metric_value: impressions }],
      timestamp: { iso8601_time: at.toISOString() },
    })),
  };
  return { data: { tweet_result_by_rest_id: { result } } };
}
