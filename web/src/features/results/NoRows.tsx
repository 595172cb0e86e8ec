import { Button } from "../../ui/Button.tsx";

interface NoRowsProps {
  /** Rows are there, and none passes. */
  readonly isFiltered: boolean;
  readonly onClear: () => void;
}

/** What stands in a grid without rows. */
export function NoRows({ isFiltered, onClear }: NoRowsProps) {
  return (
    <div className="no-rows" role="status">
      <p>{isFiltered ? "No row passes the filter." : "The statement returned no rows."}</p>
      {isFiltered && <Button label="Clear filter and search" icon="close" look="line" onClick={onClear} />}
    </div>
  );
}
