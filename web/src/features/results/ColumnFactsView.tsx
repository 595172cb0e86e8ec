import { useEffect, useState } from "react";
import type { Statistics } from "../../gen/core/v1/result_pb.ts";
import type { ResultColumn } from "../../results/source.ts";
import { spanText } from "../../state/connection_test.ts";
import { barText, type ColumnFacts, type ColumnPlace, readStatistics } from "../../state/statistics.ts";
import { useApp } from "../AppContext.ts";

interface ColumnFactsViewProps {
  readonly column: ResultColumn;
  readonly place: ColumnPlace;
}

/** What there is to say of a column: counts, ends, sums, and how its values are distributed. */
export function ColumnFactsView({ column, place }: ColumnFactsViewProps) {
  const app = useApp();
  const [facts, setFacts] = useState<ColumnFacts>({ kind: "counting", share: 0 });
  const { resultId, statement, view, column: index } = place;
  useEffect(() => {
    const stop = new AbortController();
    void (async () => {
      for await (const step of readStatistics(app.core, { resultId, statement, view, column: index }, stop.signal)) setFacts(step);
    })();
    return () => stop.abort();
  }, [app, resultId, statement, view, index]);
  if (facts.kind === "failed") return <p className="facts-say danger" role="alert">{[facts.problem.message, facts.problem.advice].filter((text) => text !== "").join(". ")}</p>;
  if (facts.kind === "counting") return <p className="facts-say late" role="status">Counting, {Math.floor(facts.share * 100)} %</p>;
  return (
    <>
      <Histogram statistics={facts.statistics} column={column} />
      <dl className="facts">
        {linesOf(facts.statistics).map(([name, value]) => (
          <div key={name} className={value.length > 9 ? "wide" : ""}>
            <dt>{name}</dt>
            <dd className="code" title={value}>
              {value}
            </dd>
          </div>
        ))}
      </dl>
      <p className="facts-time">{spanText(facts.ms)}</p>
    </>
  );
}

function linesOf(statistics: Statistics): readonly (readonly [string, string])[] {
  const { rows, nulls, cut, distinct, distinctIsEstimate, least, greatest, numbers } = statistics;
  const count = (value: bigint) => value.toLocaleString("en-US");
  return [
    ["Rows", count(rows)],
    ["NULL", count(nulls)],
    ["Distinct", `${distinctIsEstimate ? "about " : ""}${count(distinct)}`],
    ...(cut > 0n ? ([["Cut", count(cut)]] as const) : []),
    ...(least === undefined ? [] : ([["Min", least]] as const)),
    ...(greatest === undefined ? [] : ([["Max", greatest]] as const)),
    ...(numbers === undefined ? [] : ([["Sum", numbers.sum]] as const)),
    ...(numbers?.mean === undefined ? [] : ([["Average", numbers.mean.slice(0, 24)]] as const)),
    ...(numbers !== undefined && numbers.notFinite > 0n ? ([["Not finite", count(numbers.notFinite)]] as const) : []),
  ];
}

const HEIGHT = 48;
const WIDTH = 240;

function Histogram({ statistics, column }: { readonly statistics: Statistics; readonly column: ResultColumn }) {
  const [at, setAt] = useState<number>();
  const { histogram } = statistics;
  const most = histogram.reduce((high, { count }) => (count > high ? count : high), 1n);
  if (histogram.length < 2) return null;
  const isDay = /^time/i.test(column.type) && !/^timestamp/i.test(column.type);
  const text = (value: number) => barText(value, column.family, isDay);
  const step = WIDTH / histogram.length;
  const bar = at === undefined ? undefined : histogram[at];
  const [first, last] = [histogram[0], histogram.at(-1)];
  return (
    <figure className="histogram">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={`${histogram.length} bars from ${text(first?.from ?? 0)} to ${text(last?.to ?? 0)}`} onPointerLeave={() => setAt(undefined)}>
        {histogram.map(({ count }, index) => {
          const height = count === 0n ? 0 : Math.max(1.5, (Number(count) / Number(most)) * (HEIGHT - 2));
          return (
            <g key={index} onPointerEnter={() => setAt(index)} className={index === at ? "on" : ""}>
              <rect className="hit" x={index * step} y={0} width={step} height={HEIGHT} />
              <rect x={index * step + 0.5} y={HEIGHT - height} width={Math.max(1, step - 1)} height={height} />
            </g>
          );
        })}
      </svg>
      <figcaption>
        <span>{text(first?.from ?? 0)}</span>
        <b>{bar === undefined ? "" : `${text(bar.from)} – ${text(bar.to)} · ${bar.count.toLocaleString("en-US")}`}</b>
        <span>{text(last?.to ?? 0)}</span>
      </figcaption>
    </figure>
  );
}
