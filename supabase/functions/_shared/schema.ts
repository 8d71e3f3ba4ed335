/** The door to the schema that this version was written for: 67 KB that only `health` needs. */
export { DATABASE_SCHEMA } from '../../../shared/database/schema.ts';
