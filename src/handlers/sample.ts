/** Values of one metric that one line can hold. https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html */
const MOST = 100;

/**
 * A hundred of many values at most, spread evenly over them: every value at first, and whenever
 * there are too many, every second of those, and of all further ones.
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
      // The value that was one too many is the next in that stride, since MOST is even.
    }
    this.#values.push(value);
  }
}
