/** The contracts between the bot, the edge functions, the database and the scraper. */
export * from './environment.ts';
export * from './error.ts';
export * from './identifiers.ts';
export * from './job.ts';
export * from './policy-evaluation.ts';
export * from './read.ts';
export * from './recommend.ts';
export * from './session.ts';
export * from './track-post.ts';
