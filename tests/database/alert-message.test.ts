import { expect, it } from 'vitest';
import { useDatabase } from '../support/database.ts';
import { hours, json, only } from '../support/scenario.ts';

const database = useDatabase({ isEmptied: false });

const since = '2026-03-01T12:05:00Z';
const ALERTS = [
  {
    change: 'failing',
    status: 'failing',
    invariant: 'reads_on_time',
    measured: '14 reads, oldest 43 min',
    threshold: '10 min',
    what_to_do: 'Look at the Lambda.',
    since,
  },
  { change: 'warning', status: 'warning', invariant: 'reads_believed', measured: '12 %', since },
  { change: 'reminder', status: 'failing', invariant: 'a', since: '2026-02-27T23:00:00Z' },
  { change: 'reminder', status: 'warning', invariant: 'b', what_to_do: 'Wait.', since },
  {
    change: 'recovered',
    status: 'ok',
    invariant: 'c',
    measured: '0 reads',
    threshold: '10 min',
    what_to_do: 'Nothing.',
    since,
  },
];
const LINES = [
  'FAILING reads_on_time: 14 reads, oldest 43 min (allowed: 10 min) since 12:05 UTC. Look at the Lambda.',
  'WARNING reads_believed: 12 % since 12:05 UTC.',
  'STILL FAILING a since 2026-02-27 23:00 UTC.',
  'STILL WARNING b since 12:05 UTC. Wait.',
  'RECOVERED c: 0 reads (allowed: 10 min) since 12:05 UTC.',
];

const message = async (url: string, list: object[] = ALERTS, project: string | null = null) => {
  const { sql } = database;
  const { body } = only(
    await sql`
      select postloop.alert_message(${url}, ${json(sql, list)}, ${hours(8)}, ${project}) as body`,
  );
  return body;
};

it.each([
  'https://hooks.slack.com/services/T0/B0/x',
  'https://hooks.slack.com/workflows/T0/x',
  'https://hooks.slack-gov.com/services/T0/B0/x',
])('for %s is text with a line for each alert', async (url) => {
  expect(await message(url, ALERTS, 'https://abc.supabase.co')).toEqual({
    text: ['Postloop abc.supabase.co', ...LINES].join('\n'),
  });
});

it.each([
  'https://discord.com/api/webhooks/1/x',
  'https://discord.com/api/v10/webhooks/1/x',
  'https://discordapp.com/api/webhooks/1/x',
  'https://ptb.discord.com/api/webhooks/1/x',
  'https://canary.discord.com/api/webhooks/1/x',
])('for %s is content that calls nobody', async (url) => {
  expect(await message(url)).toEqual({
    content: ['Postloop', ...LINES].join('\n'),
    allowed_mentions: { parse: [] },
  });
});

it.each([
  'https://example.com/hook',
  'http://hooks.slack.com/services/x',
  'https://hooks.slack.com.example.com/x',
  'https://example.com/?next=https://hooks.slack.com/',
  'https://discord.com/channels/1',
  'https://notdiscord.com/api/webhooks/1/x',
])('for %s is data', async (url) => {
  const body = await message(url, [{ ...ALERTS[0], delivery: 'pending', request_id: 7 }]);
  expect(Object.keys(body).sort()).toEqual(['alerts', 'as_of', 'project']);
  expect(new Date(body.as_of)).toEqual(hours(8));
  expect(body.alerts).toEqual([
    { ...ALERTS[0], id: null, previous_status: null, created_at: null },
  ]);
});

it("leaves Slack's markup without effect", async () => {
  const { text: sent } = await message('https://hooks.slack.com/x', [
    { ...ALERTS[1], measured: '<!channel> a < b && c > d' },
  ]);
  expect(sent).toBe(
    'Postloop\nWARNING reads_believed: &lt;!channel&gt; a &lt; b &amp;&amp; c &gt; d since 12:05 UTC.',
  );
});

it('puts an alert on one line, however many its measured value has', async () => {
  const { content } = await message('https://discord.com/api/webhooks/1/x', [
    { ...ALERTS[1], measured: 'one\n  two\r\nthree' },
  ]);
  expect(content).toBe('Postloop\nWARNING reads_believed: one two three since 12:05 UTC.');
});

it.each([1, 3, 60])(
  'of %s long alerts fits into what Discord takes, and says how many are left out',
  async (n) => {
    const long = Array.from({ length: n }, (_, i) => ({
      ...ALERTS[0],
      invariant: `invariant_${i}`,
      measured: 'm'.repeat(3_000),
      what_to_do: 'w'.repeat(3_000),
    }));
    const { content } = await message('https://discord.com/api/webhooks/1/x', long);
    expect(content.length).toBeLessThan(2_000);
    expect(content).toContain('FAILING invariant_0: mmm');
    const lines = content.split('\n').filter((line: string) => line.startsWith('FAILING'));
    expect(lines.length).toBeGreaterThan(0);
    expect(/… and (\d+) more$/.exec(content)?.[1] ?? '0').toBe(String(n - lines.length));
  },
);

it('fits into what Discord takes, however long its lines are', async () => {
  for (let length = 1; length <= 150; length += 1) {
    const many = Array.from({ length: 100 }, (_, i) => ({
      ...ALERTS[1],
      invariant: `n${i}`,
      measured: 'm'.repeat(length),
    }));
    const { content } = await message('https://discord.com/api/webhooks/1/x', many);
    expect(content.length).toBeLessThan(2_000);
    const shown = content.split('\n').length - 2;
    expect(content.endsWith(`… and ${100 - shown} more`)).toBe(true);
  }
});

it('leaves nothing out that fits', async () => {
  const many = Array.from({ length: 25 }, (_, i) => ({ ...ALERTS[1], invariant: `n${i}` }));
  const { content } = await message('https://discord.com/api/webhooks/1/x', many);
  expect(content.split('\n')).toHaveLength(26);
  expect(content).not.toContain('more');
});
