/**
 * Most values of one metric on one line.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
const MOST = 100;

/**
 * At most a hundred of many values, spread evenly over them. It keeps every value at first.
 * Whenever there are too many, it keeps every second one of those, and of all further ones.
 */
export class Sample {
  #values: number[] = [];
  #stride = 1;
  #seen = 0;

  get values(): readonly number[] {
    return this.#values;
  }

  add(value: number): void {
    if (this.#seen++ % this.#stride > 0) return;
    if (this.#values.length === MOST) {
      this.#values = this.#values.filter((_, at) => at % 2 === 0);
      this.#stride *= 2;
      // The surplus value is the next one in the new stride, since MOST is even.
    }
    this.#values.push(value);
  }
}
