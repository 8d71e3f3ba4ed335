/** One look at what a page of X shows, for the reading without GraphQL. */
import type { Page } from 'puppeteer-core';
import type { PageSeen } from '../x/dom.ts';

/** Takes one look at the page: runs inside the browser, so it closes over nothing. */
export function lookAt(page: Page): Promise<PageSeen> {
  return page.evaluate(() => {
    const attribute = (element: Element, name: string) => element.getAttribute(name) ?? '';
    const own = (article: Element, selector: string) =>
      [...article.querySelectorAll(selector)].filter((one) => one.closest('article') === article);
    const articles = [...document.querySelectorAll('article[data-testid="tweet"]')].map(
      (article) => ({
        permalinks: [...article.querySelectorAll('a[href*="/status/"]:has(> time)')].map((link) =>
          attribute(link, 'href'),
        ),
        groupLabels: own(article, 'div[role="group"][aria-label]').map((group) =>
          attribute(group, 'aria-label'),
        ),
        buttons: own(article, 'div[role="group"] [data-testid]').map((button) => ({
          testId: attribute(button, 'data-testid'),
          label: attribute(button, 'aria-label'),
          text: button.textContent ?? '',
        })),
      }),
    );
    const followers = 'a[href$="/followers"], a[href$="/verified_followers"]';
    const state = [...document.scripts].map((script) => script.textContent ?? '').join('\n');
    const login = /"isLoggedIn":\s*(true|false)/.exec(state)?.[1];
    const failure = document.querySelector('#ScriptLoadFailure');
    return {
      url: location.href,
      title: document.title,
      isComplete: document.readyState === 'complete',
      isLoggedIn: login === undefined ? null : login === 'true',
      hasLoginForm: document.querySelector('input[autocomplete="username"]') !== null,
      hasScriptFailure: failure?.checkVisibility() ?? false,
      articles,
      language: document.documentElement.lang || null,
      followerLinks: [...document.querySelectorAll(followers)].map((link) => ({
        href: attribute(link, 'href'),
        text: link.textContent ?? '',
      })),
    };
  });
}
