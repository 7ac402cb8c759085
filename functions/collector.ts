import { collectorHandler, givenUpMetric, jsonLog } from '../src/handlers.ts';

export const handler = collectorHandler({ log: jsonLog(), onGivenUp: givenUpMetric() });
