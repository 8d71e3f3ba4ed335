import { describe, expect, test } from 'vitest';
import {
  type ArticleSeen,
  judgePage,
  type PageSeen,
  readGroupLabel,
  readPostFromPage,
} from '../../scraper-lambda/src/x/dom.ts';

const ENGLISH = '33 replies, 274 reposts, 1556 likes, 22 bookmarks, 27014 views';
const JAPANESE =
  '33 件の返信、274 件のリポスト、1556 件のいいね、22 件のブックマーク、27014 件の表示';
const SAME = {
  likes: 1556,
  retweets: 274,
  replies: 33,
  quotes: null,
  bookmarks: 22,
  impressions: 27014,
  profile_clicks: null,
};

function article(id: string, label: string): ArticleSeen {
  return { permalinks: [`/somebot/status/${id}`], groupLabels: [label] };
}

function page(seen: Partial<PageSeen>): PageSeen {
  return {
    url: 'https://x.com/somebot/status/1900000000000000004',
    title: 'somebot on X',
    isComplete: true,
    isLoggedIn: false,
    hasLoginForm: false,
    hasScriptFailure: false,
    articles: [],
    ...seen,
  };
}

describe('the action bar’s label', () => {
  test.each([
    ['English', ENGLISH],
    ['Japanese', JAPANESE],
    ['grouped digits', '33 replies, 274 reposts, 1,556 likes, 22 bookmarks, 27,014 views'],
    ['grouped Japanese digits', JAPANESE.replace('1556', '1,556').replace('27014', '27,014')],
    ['the older words', '33 replies, 274 Retweets, 1556 likes, 22 bookmarks, 27014 views'],
  ])('is read exactly: %s', (_name, label) => {
    expect(readGroupLabel(label)).toEqual(SAME);
  });

  test('in the singular is read', () => {
    expect(readGroupLabel('1 reply, 1 repost, 1 like, 1 bookmark, 1 view')).toMatchObject({
      replies: 1,
      retweets: 1,
      likes: 1,
      bookmarks: 1,
      impressions: 1,
    });
  });

  test.each(['7 likes', '7 件のいいね'])(
    'omits what is zero, but says nothing of views: %s',
    (label) => {
      expect(readGroupLabel(label)).toEqual({
        likes: 7,
        retweets: 0,
        replies: 0,
        quotes: null,
        bookmarks: 0,
        impressions: null,
        profile_clicks: null,
      });
    },
  );

  test('first system 17: the bookmarks are the number before their word, not all digits', () => {
    expect(readGroupLabel('33 replies, 274 reposts, 1556 likes, 22 bookmarks')).toMatchObject({
      bookmarks: 22,
    });
    expect(readGroupLabel('33 274 1.5K 22 27K')).toBeNull();
  });

  test('first system 18: the k of a word multiplies nothing', () => {
    expect(readGroupLabel('22 bookmarks, 15 likes')).toMatchObject({ bookmarks: 22, likes: 15 });
  });

  test.each([
    ['abbreviated', '1.5K likes'],
    ['abbreviated in Japanese', '1.5万 件のいいね'],
    ['a Turkish "B"', '3 B beğeni'],
    ['another language', '33 yanıt, 274 yeniden gönderi'],
    ['two languages', '33 replies、274 件のリポスト'],
    ['one unknown part', '33 replies, 5 sparkles'],
    ['a part twice', '33 replies, 34 replies'],
    ['digits grouped otherwise', '1,55 likes'],
    ['a decimal comma', '1.556 likes'],
    ['a name that every object has', '3 constructor'],
    ['nothing', ''],
  ])('is refused when it is %s', (_name, label) => {
    expect(readGroupLabel(label)).toBeNull();
  });
});

describe('a page with articles', () => {
  test('first system 16: the focal article is the one whose permalink is asked for', () => {
    const seen = page({
      articles: [
        article('1899999999999999990', '700 replies, 91000 likes'),
        article('1900000000000000004', '3 likes, 82 views'),
      ],
    });
    expect(readPostFromPage(seen, '1900000000000000004')).toEqual({
      outcome: 'found',
      id: '1900000000000000004',
      source: 'dom',
      quality: 'exact',
      metrics: {
        likes: 3,
        retweets: 0,
        replies: 0,
        quotes: null,
        bookmarks: 0,
        impressions: 82,
        profile_clicks: null,
      },
      author: null,
    });
  });

  test('does not take an id that only begins like the one asked for', () => {
    const seen = page({ articles: [article('19000000000000000041', ENGLISH)] });
    expect(readPostFromPage(seen, '1900000000000000004')).toBeNull();
  });

  test('first system 20: a label that is not understood is refused, not read as zeros', () => {
    const seen = page({ articles: [article('1900000000000000004', '33 yanıt')] });
    expect(readPostFromPage(seen, '1900000000000000004')).toMatchObject({
      outcome: 'shape_changed',
    });
  });

  test('is refused when two labels could be the action bar', () => {
    const both = { ...article('1900000000000000004', ENGLISH), groupLabels: [ENGLISH, '1 like'] };
    expect(readPostFromPage(page({ articles: [both] }), '1900000000000000004')).toMatchObject({
      outcome: 'shape_changed',
      evidence: { understood: 2 },
    });
  });
});

describe('a page without articles', () => {
  test('may still be loading', () => {
    expect(judgePage(page({}))).toBeNull();
  });

  test('with X’s login title is login_required', () => {
    expect(judgePage(page({ title: 'Log in to X / X' }))?.outcome).toBe('login_required');
  });

  test('that was sent to the login flow is login_required', () => {
    const url = 'https://x.com/i/flow/login?redirect_after_login=%2Fsomebot';
    expect(judgePage(page({ url }))?.outcome).toBe('login_required');
  });

  test('whose scripts failed is transient, even when somebody is logged in', () => {
    const seen = page({ hasScriptFailure: true, isLoggedIn: true });
    expect(judgePage(seen)?.outcome).toBe('transient');
  });
});
