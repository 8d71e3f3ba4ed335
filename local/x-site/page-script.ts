/** The script of the stand-in's pages: fetches what the page is about and shows it as articles. */

/** How near the end of the page, in its own heights, the next part of a timeline is fetched. */
const SCROLL_MARGIN = 1;

/**
 * Runs in the page, after `const page = …` (see `PageData`). Posts are found in any operation; the
 * label is X's own wording. A profile asks for its user first and with that id for the timeline,
 * and for more of it when it is scrolled to the end.
 */
export const PAGE_SCRIPT = `
const root = document.querySelector('#react-root');
const words = [['reply_count', 'reply', 'replies'], ['retweet_count', 'repost', 'reposts'],
  ['favorite_count', 'like', 'likes'], ['bookmark_count', 'bookmark', 'bookmarks']];
const ct0 = /(?:^|; )ct0=([^;]+)/.exec(document.cookie)?.[1];
async function call(operation, variables) {
  const query = encodeURIComponent(JSON.stringify(variables));
  const url = page.endpoint + '/' + operation + '?variables=' + query;
  const response = await fetch(url, ct0 ? { headers: { 'x-csrf-token': ct0 } } : {});
  return response.json();
}
function label(tweet) {
  const parts = words.map(([key, one, many]) => [tweet.legacy[key], one, many]);
  parts.push([Number(tweet.views?.count ?? 0), 'view', 'views']);
  return parts.filter(([n]) => n > 0).map(([n, one, many]) => n + ' ' + (n === 1 ? one : many)).join(', ');
}
function entriesOf(body) {
  const steps = body.data?.threaded_conversation_with_injections_v2?.instructions
    ?? body.data?.user?.result?.timeline?.timeline?.instructions ?? [];
  return steps.flatMap((step) => [...(step.entry ? [step.entry] : []), ...(step.entries ?? [])]);
}
function tweetsOf(body) {
  const items = entriesOf(body).flatMap(({ content }) =>
    content.items ? content.items.map(({ item }) => item.itemContent) : [content.itemContent]);
  const results = items.map((item) => item?.tweet_results?.result);
  return [body.data?.tweetResult?.result, ...results].map((result) => result?.tweet ?? result)
    .filter((tweet) => tweet?.legacy)
    .map((tweet) => tweet.legacy.retweeted_status_result?.result ?? tweet);
}
function show(tweet) {
  const user = tweet.core?.user_results?.result;
  const handle = user?.core?.screen_name ?? user?.legacy?.screen_name;
  const article = document.createElement('article');
  article.dataset.testid = 'tweet';
  article.innerHTML = '<a><time></time></a><div role="group"></div>';
  article.querySelector('a').href = '/' + handle + '/status/' + tweet.rest_id;
  article.querySelector('time').dateTime = new Date(tweet.legacy.created_at).toISOString();
  article.querySelector('div').setAttribute('aria-label', label(tweet));
  root.append(article);
}
function showAll(body) {
  tweetsOf(body).forEach(show);
  for (const src of page.images.splice(0)) document.body.append(Object.assign(new Image(), { src }));
}
const failed = () => root.append('Something went wrong. Try reloading.');
async function showTimeline(userId) {
  let cursor;
  for (;;) {
    const wanted = { userId, count: 20, ...(cursor ? { cursor } : {}), includePromotedContent: true };
    const body = await call('UserTweets', wanted);
    showAll(body);
    const entries = entriesOf(body);
    cursor = entries.find(({ content }) => content.cursorType === 'Bottom')?.content.value;
    if (!cursor || entries.every(({ content }) => content.cursorType)) return;
    await new Promise((resolve) => {
      const onScroll = () => {
        const { scrollTop, clientHeight, scrollHeight } = document.documentElement;
        if (scrollTop + clientHeight * ${1 + SCROLL_MARGIN} < scrollHeight) return;
        removeEventListener('scroll', onScroll);
        resolve();
      };
      addEventListener('scroll', onScroll);
    });
  }
}
async function showProfile(handle) {
  const body = await call('UserByScreenName', { screen_name: handle });
  const userId = body.data?.user?.result?.rest_id;
  if (userId) await showTimeline(userId);
}
for (const { operation, variables } of page.calls) call(operation, variables).then(showAll).catch(failed);
if (page.profile) showProfile(page.profile).catch(failed);
`;
