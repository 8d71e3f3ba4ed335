/** Which page stands at which address. */
import { REQUESTED_METRICS } from './analytics.ts';
import { LABELS } from './labels.ts';
import { countsOf, type Site, splitAnswer } from './numbers.ts';
import type { PageAssets } from './page-weight.ts';
import {
  type ArticleText,
  appPage,
  cloudflarePage,
  loginPage,
  type PageCall,
  scriptShellPage,
} from './pages.ts';
import { momentOfId, type SiteAccount, type SitePost } from './payloads.ts';
import type { Reader } from './readers.ts';
import { type Answer, isVariant, type Variant } from './variants.ts';

/** The analytics of a post have hours for its first two days. */
const HOURLY_MS = 48 * 3_600_000;

export type Target = {
  /** Forced by the address, for the page and all its calls or for `operation` only. */
  variant: Variant | null;
  operation: string | null;
  capture: string | null;
  prefix: string;
  path: string;
  query: URLSearchParams;
};

/** Takes an address apart: `/as/<variant>`, `/as/<operation>:<variant>` or `/captures/<file>`, and the path behind. */
export function targetOf(address: string): Target {
  const url = new URL(address, 'http://site');
  const [, kind, name, rest] = /^\/(as|captures)\/([^/]+)(\/.*)?$/.exec(url.pathname) ?? [];
  const decoded = name === undefined ? '' : decodeURIComponent(name);
  const [, operation, variant = ''] = /^(?:(\w+):)?([\w-]+)$/.exec(decoded) ?? [];
  return {
    variant: kind === 'as' && isVariant(variant) ? variant : null,
    operation: kind === 'as' ? (operation ?? null) : null,
    capture: kind === 'captures' ? decoded : null,
    prefix: kind ? `/${kind}/${name}` : '',
    path: kind ? (rest ?? '/') : url.pathname,
    query: url.searchParams,
  };
}

/** The variant that the address forces on this operation, or on the page itself (null). */
export const forcedOn = (target: Target, operation: string | null): Variant | null =>
  target.operation === null || target.operation === operation ? target.variant : null;

function html(body: string, status = 200): Answer {
  return { status, headers: { 'content-type': 'text/html; charset=utf-8' }, body };
}

export function pageOf(site: Site, target: Target, reader: Reader, assets: PageAssets): Answer {
  const [, author, id, tab] =
    /^\/(i|\w{1,15})\/status\/(\d+)(\/analytics)?$/.exec(target.path) ?? [];
  const { 1: handle } = /^\/(\w{1,15})$/.exec(target.path) ?? [];
  const frame = { prefix: target.prefix, isLoggedIn: reader.session !== null, assets };
  if (target.capture !== null) return capturePage(frame, target.capture, id, handle);
  if (id !== undefined && tab !== undefined && author !== 'i') return analyticsPage(frame, id);
  if (id !== undefined) return postPage(site, target, frame, id);
  if (handle !== undefined) return profilePage(site, target, frame, handle);
  return html('<!doctype html><title>X</title>', 404);
}

/** What every page of one request has in common. */
type Frame = { prefix: string; isLoggedIn: boolean; assets: PageAssets };

/** The variants that show in the page itself, before any call. */
function refusedPage(variant: Variant | null): Answer | null {
  if (variant === 'login-wall') return html(loginPage());
  if (variant === 'script-shell') return html(scriptShellPage());
  if (variant === 'cloudflare') return html(cloudflarePage(), 403);
  return null;
}

function postPage(site: Site, target: Target, frame: Frame, id: string): Answer {
  const forced = forcedOn(target, null);
  const { variant, numbers } = splitAnswer<SitePost>(site.numbers.post(id), forced);
  const refused = refusedPage(variant);
  if (refused) return refused;
  const language = variant?.startsWith('dom-only-') ? variant.slice('dom-only-'.length) : 'en';
  const articles =
    variant?.startsWith('dom-only') && numbers ? articlesOf(site, id, numbers, language) : [];
  const call: PageCall =
    site.detail || frame.isLoggedIn
      ? { operation: 'TweetDetail', variables: { focalTweetId: id } }
      : { operation: 'TweetResultByRestId', variables: { tweetId: id } };
  return html(appPage({ ...frame, language, calls: [call], articles }));
}

/** What the page shows without GraphQL: a reply's parent first, then the post itself. */
function articlesOf(site: Site, id: string, post: SitePost, language: string): ArticleText[] {
  const parentId = post.replyTo;
  const parent = parentId && splitAnswer<SitePost>(site.numbers.post(parentId), null).numbers;
  const shown: [string, SitePost][] = parent
    ? [
        [parentId, parent],
        [id, post],
      ]
    : [[id, post]];
  return shown.map(([shownId, one]) => {
    const counts = countsOf(one);
    site.log({ operation: 'dom', post_id: shownId, handle: one.handle, counts });
    const label = (LABELS[language] ?? LABELS.en)?.(counts) ?? '';
    return { handle: one.handle, id: shownId, at: momentOfId(shownId).toISOString(), label };
  });
}

function profilePage(site: Site, target: Target, frame: Frame, handle: string): Answer {
  const forced = forcedOn(target, null);
  const { variant } = splitAnswer<SiteAccount>(site.numbers.account(handle), forced);
  const refused = refusedPage(variant);
  return refused ?? html(appPage({ ...frame, language: 'en', profile: handle }));
}

function analyticsPage(frame: Frame, id: string): Answer {
  const from = momentOfId(id);
  const variables = {
    restId: id,
    from_time: from.toISOString(),
    first_48_hours_time: new Date(from.getTime() + HOURLY_MS).toISOString(),
    requested_organic_metrics: REQUESTED_METRICS,
  };
  const call = { operation: 'TweetActivityQuery', variables };
  return html(appPage({ ...frame, language: 'en', calls: [call] }));
}

/** A page whose one call is the capture's own operation, about whatever the address names. */
function capturePage(frame: Frame, file: string, id?: string, handle?: string): Answer {
  const operation = file.split('.')[0] ?? '';
  const about = id === undefined ? { screen_name: handle } : { tweetId: id };
  const variables = operation === 'TweetDetail' ? { focalTweetId: id } : about;
  return html(appPage({ ...frame, language: 'en', calls: [{ operation, variables }] }));
}
