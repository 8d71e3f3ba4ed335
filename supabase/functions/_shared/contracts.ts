/** The one door to the contracts and the maths that the functions share with the other sides. */
export * from '../../../shared/contracts/index.ts';
export { DATABASE_SCHEMA } from '../../../shared/database/schema.ts';
export type { Database } from '../../../shared/database/types.ts';
export * from '../../../shared/evaluation/index.ts';
export * from '../../../shared/learning/index.ts';
export { snowflakeTime } from '../../../shared/snowflake.ts';
