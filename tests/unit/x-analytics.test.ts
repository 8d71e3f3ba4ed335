import { describe, expect, it } from 'vitest';
import { readAnalyticsPayload } from '../../scraper-lambda/src/x/analytics.ts';
import { postAnalyticsSchema } from '../../shared/contracts/read.ts';

const ID = '1900000000000000001';
const AT = '2026-03-02T10:00:00.000Z';

const metric = (metric_type: string, metric_value?: unknown) => ({ metric_type, metric_value });
const hour = (iso8601_time: string, ...metric_values: unknown[]) => ({
  timestamp: { iso8601_time },
  metric_values,
});

function bodyOf(activity: object, wrap = (tweet: object): object => tweet) {
  const tweet = { __typename: 'Tweet', rest_id: ID, ...activity };
  return { data: { tweet_result_by_rest_id: { result: wrap(tweet) } } };
}

const GRID = [
  metric('Impressions', 32_100),
  metric('Engagements', '812'),
  metric('DetailExpands', 40),
  metric('ProfileVisits', '17'),
  metric('LinkClicks'),
  metric('Follows', 0),
];
const read = (body: unknown) => readAnalyticsPayload(body, ID, AT);

describe('the analytics of a post', () => {
  it('are read whether a value is a number or text; one that is absent is null', () => {
    expect(read(bodyOf({ datapoints_grid: GRID }))).toEqual({
      post_id: ID,
      captured_at: AT,
      impressions: 32_100,
      engagements: 812,
      detail_expands: 40,
      profile_visits: 17,
      link_clicks: null,
      follows: 0,
      hourly: [],
    });
  });

  it('are read inside TweetWithVisibilityResults', () => {
    const body = bodyOf({ datapoints_grid: GRID }, (tweet) => ({
      __typename: 'TweetWithVisibilityResults',
      tweet,
    }));
    expect(read(body)).toMatchObject({ profile_visits: 17, follows: 0 });
  });

  it('have the impressions of each hour that X gave, each hour once', () => {
    const series = [
      hour('2026-03-01T08:00:00.000Z', metric('Impressions', 120)),
      hour('2026-03-01T09:00:00.000Z', metric('Impressions', '0')),
      hour('2026-03-01T10:00:00.000Z', metric('Impressions')),
      hour('2026-03-01T11:00:00.000Z', metric('Engagements', 4)),
      hour('2026-03-01T08:00:00Z', metric('Impressions', 121)),
    ];
    const analytics = read(bodyOf({ datapoints_grid: GRID, organic_metrics_time_series: series }));
    expect(analytics).toMatchObject({
      hourly: [
        { hour: '2026-03-01T08:00:00.000Z', impressions: 121 },
        { hour: '2026-03-01T09:00:00.000Z', impressions: 0 },
      ],
    });
    expect(postAnalyticsSchema.safeParse(analytics).success).toBe(true);
  });

  it.each([-1, 1.5, '1.2K', '', true, [], 1e300])('never take %j for a count', (value) => {
    const grid = [metric('Impressions', 5), metric('ProfileVisits', value)];
    expect(read(bodyOf({ datapoints_grid: grid }))).toMatchObject({
      impressions: 5,
      profile_visits: null,
    });
  });

  it.each([
    ['an empty grid', bodyOf({ datapoints_grid: [] })],
    ['no grid', bodyOf({})],
    ['a grid of null', bodyOf({ datapoints_grid: null })],
    ['no post', { data: { tweet_result_by_rest_id: {} } }],
    ['a post of null', { data: { tweet_result_by_rest_id: { result: null } } }],
    ['a place of null', { data: { tweet_result_by_rest_id: null } }],
  ])('are absent with %s', (_name, body) => {
    expect(read(body)).toBe('absent');
  });

  it('of another post are not taken for those asked for', () => {
    const body = bodyOf({ rest_id: '1900000000000000002', datapoints_grid: GRID });
    expect(read(body)).toMatchObject({ outcome: 'wrong_post' });
  });

  it.each([
    ['of another shape', bodyOf({ datapoints_grid: { Impressions: 5 } }), 'shape_changed'],
    ['of another place', { data: { activity: {} } }, 'shape_changed'],
    ['without data', {}, 'shape_changed'],
    ['refused by code', { errors: [{ code: 32 }] }, 'session_invalid'],
    [
      'of an unavailable post',
      bodyOf({ __typename: 'TweetUnavailable', reason: 'Suspended' }),
      'suspended',
    ],
  ])('%s are a typed refusal', (_name, body, outcome) => {
    expect(read(body)).toMatchObject({ outcome });
  });

  it('refused by the rate limit wait for its reset', () => {
    const headers = { 'x-rate-limit-remaining': '0', 'x-rate-limit-reset': '1790000000' };
    expect(readAnalyticsPayload({ errors: [{ code: 88 }] }, ID, AT, headers)).toMatchObject({
      outcome: 'rate_limited',
      retry_at: '2026-09-21T14:13:20.000Z',
    });
  });
});
