/** Reads what X shows an author about a post of their own (`TweetActivityQuery`): pure. */
import { z } from 'zod';
import type { PostAnalytics } from '../../../shared/contracts/read.ts';
import { type Headers, judgeBody } from './body.ts';
import { judgeTombstone, judgeUnavailable, type Refusal, refuse } from './outcome.ts';
import { countText, describeIssues, valueAt } from './payload-schemas.ts';

/** A value that X left out, or wrote in a way that is not a count, was not read. */
const metricSchema = z.object({
  metric_type: z.string(),
  metric_value: countText.nullish().catch(null),
});

const activitySchema = z.object({
  rest_id: z.string().nullish(),
  datapoints_grid: z.array(metricSchema).nullish(),
  organic_metrics_time_series: z
    .array(
      z.object({
        timestamp: z.object({ iso8601_time: z.iso.datetime({ offset: true }) }),
        metric_values: z.array(metricSchema),
      }),
    )
    .nullish(),
});
type Activity = z.infer<typeof activitySchema>;

const PLACE = 'data.tweet_result_by_rest_id';

/**
 * Reads the analytics of the post `postId`.
 * @param capturedAt ISO 8601, when the payload came
 * @returns `absent` when X has nothing to show: not the session's own post, or too new
 */
export function readAnalyticsPayload(
  body: unknown,
  postId: string,
  capturedAt: string,
  headers: Headers = {},
): PostAnalytics | Refusal | 'absent' {
  const refused = judgeBody(body, headers);
  if (refused) return refused;
  const place = valueAt(body, ['data', 'tweet_result_by_rest_id']);
  if (place === undefined) return refuse('shape_changed', { missing: [PLACE] });
  const result = valueAt(place, ['result']);
  if (result === undefined || result === null) return 'absent';
  const typename = valueAt(result, ['__typename']);
  if (typename === 'TweetUnavailable') return judgeUnavailable(valueAt(result, ['reason']));
  if (typename === 'TweetTombstone') {
    const text = valueAt(result, ['tombstone', 'text', 'text']);
    return judgeTombstone(typeof text === 'string' ? text : null);
  }
  const tweet = valueAt(result, ['tweet']) ?? result;
  const parsed = activitySchema.safeParse(tweet);
  if (!parsed.success) {
    return refuse('shape_changed', describeIssues(parsed.error, tweet, `${PLACE}.result`));
  }
  if ((parsed.data.rest_id ?? postId) !== postId) {
    return refuse('wrong_post', { read: parsed.data.rest_id });
  }
  if ((parsed.data.datapoints_grid ?? []).length === 0) return 'absent';
  return analyticsOf(parsed.data, postId, capturedAt);
}

function analyticsOf(activity: Activity, postId: string, capturedAt: string): PostAnalytics {
  const grid = new Map(
    (activity.datapoints_grid ?? []).map((metric) => [metric.metric_type, metric.metric_value]),
  );
  return {
    post_id: postId,
    captured_at: capturedAt,
    impressions: grid.get('Impressions') ?? null,
    engagements: grid.get('Engagements') ?? null,
    detail_expands: grid.get('DetailExpands') ?? null,
    profile_visits: grid.get('ProfileVisits') ?? null,
    link_clicks: grid.get('LinkClicks') ?? null,
    follows: grid.get('Follows') ?? null,
    hourly: hourlyOf(activity),
  };
}

/** The hours that X gave a count for, each once; it lists impressions alone. */
function hourlyOf(activity: Activity): PostAnalytics['hourly'] {
  const hours = new Map<string, number>();
  for (const { timestamp, metric_values } of activity.organic_metrics_time_series ?? []) {
    const impressions = metric_values.find((metric) => metric.metric_type === 'Impressions');
    const count = impressions?.metric_value;
    if (typeof count === 'number') {
      hours.set(new Date(timestamp.iso8601_time).toISOString(), count);
    }
  }
  return [...hours].map(([hour, impressions]) => ({ hour, impressions }));
}
