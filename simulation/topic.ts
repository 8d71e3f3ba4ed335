/** What a topic of `npm run simulate` is: a method in simulated worlds, judged by bars. */
import type { Bar } from '../local/terminal/bars.ts';

type SimulationOptions = {
  /** How many accounts or runs of each world. */
  seeds: number;
};

/** Figures that no bar judges; a number is shown with three digits. */
export type FigureTable = {
  title: string;
  head: string[];
  rows: (string | number)[][];
};

export type SimulationResult = { bars: Bar[]; tables: FigureTable[] };

export type Topic = {
  name: string;
  summary: string;
  /** Seeds where none are given; the bars are set for them. */
  seeds: number;
  run(
    options: SimulationOptions,
    progress: (step: string) => void,
  ): SimulationResult | Promise<SimulationResult>;
};
