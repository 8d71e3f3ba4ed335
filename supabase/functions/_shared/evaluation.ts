/** The door to the evaluation of policies. */
export {
  evaluatePolicy,
  loggedSlatesSchema,
} from '../../../shared/evaluation/policy-evaluation.ts';
