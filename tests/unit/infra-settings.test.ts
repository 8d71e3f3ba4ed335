import { describe, expect, it } from 'vitest';
import { readSettings } from '../../scraper-lambda/infra/settings.ts';

const read = (context: Record<string, unknown>, environment: Record<string, string> = {}) =>
  readSettings((name) => context[name], environment);

describe('the settings of a deploy', () => {
  it('need only the URL of the project', () => {
    expect(read({ supabaseUrl: 'https://example.supabase.co' })).toEqual({
      supabaseUrl: 'https://example.supabase.co',
      xBaseUrl: 'https://x.com',
      claimLimit: 40,
      pageConcurrency: 2,
      metricsSource: 'browser',
      reservedConcurrency: 2,
    });
  });

  it('take the URL from the environment when the context does not give one', () => {
    const environment = { SUPABASE_URL: 'https://environment.supabase.co' };
    expect(read({}, environment).supabaseUrl).toBe('https://environment.supabase.co');
    expect(read({ supabaseUrl: 'https://context.supabase.co' }, environment).supabaseUrl).toBe(
      'https://context.supabase.co',
    );
  });

  it('without a URL say how to give it', () => {
    expect(() => read({})).toThrowError(
      expect.objectContaining({
        code: 'setting_invalid',
        message: expect.stringMatching(/^supabaseUrl is not set\. .*export SUPABASE_URL=/),
      }),
    );
  });

  it('refuse a URL over which the secret key would travel unencrypted', () => {
    expect(() => read({ supabaseUrl: 'http://example.supabase.co' })).toThrowError(
      'supabaseUrl is "http://example.supabase.co": must be an https URL',
    );
  });

  it.each([
    ['claimLimit', '501'],
    ['pageConcurrency', '0'],
    ['reservedConcurrency', '0'],
    ['reservedConcurrency', 'all'],
    ['alarmEmail', 'owner'],
    ['alarmTopicArn', 'arn:aws:sqs:eu-central-1:123456789012:queue'],
  ])('refuse %s %s and name it', (name, value) => {
    expect(() => read({ supabaseUrl: 'https://example.supabase.co', [name]: value })).toThrowError(
      `${name} is "${value}": `,
    );
  });

  it('name every fault at once', () => {
    expect(() => read({ claimLimit: 'many', alarmEmail: 'owner' })).toThrowError(
      /supabaseUrl is not set; claimLimit is "many": .*; alarmEmail is "owner": /,
    );
  });
});
