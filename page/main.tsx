import 'uplot/dist/uPlot.min.css';
import './style.css';
import './detail.css';
import { render } from 'preact';
import { type PackedReport, unpacked } from '../src/report/report-data.ts';
import { Report } from './report.tsx';

const data = document.getElementById('report')?.textContent ?? '{}';
const root = document.getElementById('root');
if (root) render(<Report data={unpacked(JSON.parse(data) as PackedReport)} />, root);
