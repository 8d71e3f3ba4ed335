/** The tables of two runs beside each other, row by row and to the last bit of every number. */
import type postgres from 'postgres';

/** The tables that hold what the pipeline found out, with their keys. */
export const TABLES: Record<string, string[]> = {
  real_tweet_metrics: ['tweet_id', 'collection_phase'],
  follower_snapshots: ['account_id', 'captured_at'],
  metric_collections: ['post_id', 'phase'],
  post_attribution: ['post_id'],
  follower_hour: ['account_id', 'hour'],
  post_credit: ['post_id'],
  follower_rates: ['account_id'],
  follower_block_rates: ['account_id', 'block_start'],
  growth_curve: ['account_id', 'outcome', 'phase'],
  post_outcomes: ['post_id'],
  learned_models: ['account_id', 'outcome'],
  dimension_performance: ['account_id', 'dimension', 'value'],
};

/** What is not compared, and why it may differ. */
const IGNORED: Record<string, string> = {
  run_id: 'the run that recorded it has a random id',
  lease_id: 'likewise',
  decision_id: 'recommend draws its decisions at random',
  attempts: 'a fault costs tries',
  attributed_at: 'a fire that is lost or late is made good by a later one',
  last_updated: 'likewise',
  computed_at: 'likewise',
  fitted_at: 'likewise',
  data_version: 'counts the changes that were handed to learning, of which a fault makes more',
  settled_through: 'likewise; before it there are no hours in so short a play',
};

export type TableComparison = {
  table: string;
  rows: number;
  onlyWithFaults: number;
  onlyWithout: number;
  different: number;
  /** The first difference, for a person. */
  example: string | null;
};

export async function compareTables(
  withFaults: postgres.Sql,
  without: postgres.Sql,
): Promise<TableComparison[]> {
  const comparisons: TableComparison[] = [];
  for (const [table, key] of Object.entries(TABLES)) {
    comparisons.push(
      compareRows(table, await rowsOf(withFaults, table, key), await rowsOf(without, table, key)),
    );
  }
  return comparisons;
}

type Rows = Map<string, Record<string, unknown>>;

async function rowsOf(sql: postgres.Sql, table: string, key: string[]): Promise<Rows> {
  const rows = await sql<{ row: Record<string, unknown> }[]>`
    select to_jsonb(t) - ${Object.keys(IGNORED)}::text[] as row from ${sql(`public.${table}`)} t`;
  return new Map(rows.map(({ row }) => [key.map((column) => row[column]).join(' '), row]));
}

export function compareRows(table: string, withFaults: Rows, without: Rows): TableComparison {
  const result = { table, rows: without.size, onlyWithFaults: 0, onlyWithout: 0, different: 0 };
  let example: string | null = null;
  for (const [key, row] of withFaults) {
    const twin = without.get(key);
    if (twin === undefined) {
      result.onlyWithFaults += 1;
      example ??= `${key} only with faults`;
      continue;
    }
    const columns = Object.keys(row).filter(
      (column) => JSON.stringify(row[column]) !== JSON.stringify(twin[column]),
    );
    if (columns.length === 0) continue;
    result.different += 1;
    example ??= `${key}: ${columns
      .map(
        (column) => `${column} ${JSON.stringify(row[column])}, not ${JSON.stringify(twin[column])}`,
      )
      .join('; ')}`;
  }
  for (const key of without.keys()) {
    if (withFaults.has(key)) continue;
    result.onlyWithout += 1;
    example ??= `${key} only without faults`;
  }
  return { ...result, example };
}
