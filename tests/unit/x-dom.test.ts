import { describe, expect, it } from 'vitest';
import {
  type ArticleSeen,
  judgePage,
  type PageSeen,
  readPostFromPage,
  readProfileFromPage,
} from '../../scraper-lambda/src/x/dom.ts';
import { readGroupLabel } from '../../scraper-lambda/src/x/labels.ts';

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
  it.each([
    ['English', ENGLISH],
    ['Japanese', JAPANESE],
    ['grouped digits', '33 replies, 274 reposts, 1,556 likes, 22 bookmarks, 27,014 views'],
    ['grouped Japanese digits', JAPANESE.replace('1556', '1,556').replace('27014', '27,014')],
    ['the older words', '33 replies, 274 Retweets, 1556 likes, 22 bookmarks, 27014 views'],
  ])('is read exactly: %s', (_name, label) => {
    expect(readGroupLabel(label)).toEqual({ metrics: SAME, bounds: {} });
  });

  it('in the singular is read', () => {
    expect(readGroupLabel('1 reply, 1 repost, 1 like, 1 bookmark, 1 view')?.metrics).toMatchObject({
      replies: 1,
      retweets: 1,
      likes: 1,
      bookmarks: 1,
      impressions: 1,
    });
  });

  it.each(['7 likes', '7 件のいいね'])(
    'omits what is zero, but says nothing of views: %s',
    (label) => {
      expect(readGroupLabel(label)?.metrics).toEqual({
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

  it('first system 17: the bookmarks are the number before their word, not all digits', () => {
    const label = '33 replies, 274 reposts, 1556 likes, 22 bookmarks';
    expect(readGroupLabel(label)?.metrics).toMatchObject({ bookmarks: 22 });
    expect(readGroupLabel('33 274 1.5K 22 27K')).toBeNull();
  });

  it('first system 18: the k of a word multiplies nothing', () => {
    expect(readGroupLabel('22 bookmarks, 15 likes')?.metrics).toMatchObject({
      bookmarks: 22,
      likes: 15,
    });
  });

  it.each([
    ['1.5K likes', 1_500, 1_599],
    ['2.6K likes', 2_600, 2_699],
    ['11K likes', 11_000, 11_999],
    ['1.3M likes', 1_300_000, 1_399_999],
    ['1.39M likes', 1_390_000, 1_399_999],
    ['2B likes', 2_000_000_000, 2_999_999_999],
    ['1.5万 件のいいね', 15_000, 15_999],
    ['1.5万件のいいね', 15_000, 15_999],
    ['139万 件のいいね', 1_390_000, 1_399_999],
    ['2億 件のいいね', 200_000_000, 299_999_999],
  ])('that abbreviates is an interval, as X truncates: %s', (label, least, most) => {
    expect(readGroupLabel(label)).toMatchObject({
      metrics: { likes: least, retweets: 0, quotes: null, impressions: null },
      bounds: { likes: [least, most] },
    });
  });

  it('keeps the whole numbers beside an abbreviated one exact', () => {
    expect(readGroupLabel('33 replies, 1.5K likes')?.bounds).toEqual({ likes: [1_500, 1_599] });
  });

  it.each([
    ['an unknown suffix', '1.5L likes'],
    ['a small k', '1.5k likes'],
    ['an English suffix in Japanese', '1.5K 件のいいね'],
    ['a Japanese suffix in English', '1.5万 likes'],
    ['decimals without a suffix', '1.5 likes'],
    ['a decimal comma with a suffix', '1,5K likes'],
    ['a Turkish "B"', '3 B beğeni'],
    ['a Turkish "B" without a space', '3B beğeni'],
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
  it('first system 16: the focal article is the one whose permalink is asked for', () => {
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

  it('does not take an id that only begins like the one asked for', () => {
    const seen = page({ articles: [article('19000000000000000041', ENGLISH)] });
    expect(readPostFromPage(seen, '1900000000000000004')).toBeNull();
  });

  it('first system 20: a label that is not understood is refused, not read as zeros', () => {
    const seen = page({ articles: [article('1900000000000000004', '33 yanıt')] });
    expect(readPostFromPage(seen, '1900000000000000004')).toMatchObject({
      outcome: 'shape_changed',
    });
  });

  it('is rounded when its label abbreviates: the least, with the bounds as evidence', () => {
    const seen = page({ articles: [article('1900000000000000004', '33 replies, 1.5K likes')] });
    expect(readPostFromPage(seen, '1900000000000000004')).toMatchObject({
      quality: 'rounded',
      metrics: { likes: 1_500, replies: 33 },
      evidence: { bounds: { likes: [1_500, 1_599] } },
    });
  });

  it('is refused when two labels could be the action bar', () => {
    const both = { ...article('1900000000000000004', ENGLISH), groupLabels: [ENGLISH, '1 like'] };
    expect(readPostFromPage(page({ articles: [both] }), '1900000000000000004')).toMatchObject({
      outcome: 'shape_changed',
      evidence: { understood: 2 },
    });
  });
});

describe('an action bar without a label', () => {
  const button = (testId: string, label: string, text: string) => ({ testId, label, text });
  const EXACT = [
    button('reply', '33 Replies. Reply', '33'),
    button('unretweet', '274 reposts. Reposted', '274'),
    button('like', '1556 Likes. Like', '1.5K'),
    button('removeBookmark', 'Bookmarked', ''),
  ];
  const ABBREVIATED = [
    button('reply', 'Reply', '33'),
    button('retweet', 'Repost', '2.7K'),
    button('like', 'Like', '11K'),
  ];
  const shown = (buttons: typeof EXACT, language: string | null = null): PageSeen =>
    page({
      language,
      articles: [{ permalinks: ['/somebot/status/19'], groupLabels: [], buttons }],
    });

  it('is read from the labels of its buttons, exactly', () => {
    expect(readPostFromPage(shown(EXACT), '19')).toMatchObject({
      quality: 'exact',
      metrics: { ...SAME, bookmarks: null, impressions: null },
    });
  });

  it.each(['en', 'en-GB'])('is read from its texts where the page is in %s', (language) => {
    expect(readPostFromPage(shown(ABBREVIATED, language), '19')).toMatchObject({
      quality: 'rounded',
      metrics: { replies: 33, retweets: 2_700, likes: 11_000, bookmarks: null },
      evidence: { bounds: { retweets: [2_700, 2_799], likes: [11_000, 11_999] } },
    });
  });

  it.each(['tr', 'ja', null])('is refused where the page is in %s', (language) => {
    expect(readPostFromPage(shown(ABBREVIATED, language), '19')?.outcome).toBe('shape_changed');
  });

  it('is refused when a button is missing or has no number', () => {
    expect(readPostFromPage(shown(EXACT.slice(1)), '19')?.outcome).toBe('shape_changed');
    const empty = [...EXACT.slice(1), button('reply', 'Reply', '')];
    expect(readPostFromPage(shown(empty, 'en'), '19')?.outcome).toBe('shape_changed');
  });
});

describe('the link to the followers', () => {
  const profile = (...texts: string[]): PageSeen =>
    page({
      followerLinks: texts.map((text) => ({ href: '/SomeBot/verified_followers', text })),
    });

  it.each([
    ['412 Followers', 412],
    ['1 Follower', 1],
    ['695,695\n Followers', 695_695],
    ['412 フォロワー', 412],
  ])('with a whole number is exact: %j', (text, followers) => {
    expect(readProfileFromPage(profile(text), 'somebot')).toEqual({
      outcome: 'found',
      id: null,
      handle: 'somebot',
      source: 'dom',
      followers,
      isExact: true,
    });
  });

  it.each([
    ['683.2K Followers', 683_200, 683_299],
    ['1.5万 フォロワー', 15_000, 15_999],
  ])('with an abbreviated number is not: %s', (text, least, most) => {
    expect(readProfileFromPage(profile(text), 'somebot')).toMatchObject({
      followers: least,
      isExact: false,
      evidence: { bounds: { followers: [least, most] } },
    });
  });

  it.each([[['3 B Takipçi']], [['Followers']], [['412 Followers', '413 Followers']]])(
    'that is not understood is refused: %j',
    (texts) => {
      expect(readProfileFromPage(profile(...texts), 'somebot')?.outcome).toBe('shape_changed');
    },
  );

  it('of somebody else is not read', () => {
    expect(readProfileFromPage(profile('412 Followers'), 'otherbot')).toBeNull();
    const href = '/SomeBot/status/1/followers';
    const seen = page({ followerLinks: [{ href, text: '412 Followers' }] });
    expect(readProfileFromPage(seen, 'somebot')).toBeNull();
  });
});

describe('a page without articles', () => {
  it('may still be loading', () => {
    expect(judgePage(page({}))).toBeNull();
  });

  it('with X’s login title is login_required', () => {
    expect(judgePage(page({ title: 'Log in to X / X' }))?.outcome).toBe('login_required');
  });

  it('that was sent to the login flow is login_required', () => {
    const url = 'https://x.com/i/flow/login?redirect_after_login=%2Fsomebot';
    expect(judgePage(page({ url }))?.outcome).toBe('login_required');
  });

  it('whose scripts failed is transient, even when somebody is logged in', () => {
    const seen = page({ hasScriptFailure: true, isLoggedIn: true });
    expect(judgePage(seen)?.outcome).toBe('transient');
  });
});
