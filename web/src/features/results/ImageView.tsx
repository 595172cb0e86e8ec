import { useEffect, useMemo, useRef, useState } from "react";
import { imageSize } from "../../results/bytes_text.ts";

/** More takes a page hundreds of megabytes. */
const PIXELS_MAX = 40_000_000;

/** Draws an image. It is drawn on a canvas, for the page's policy lets no image come from elsewhere than the server. */
export function ImageView({ bytes, type }: { readonly bytes: Uint8Array<ArrayBuffer>; readonly type: string }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [says, setSays] = useState("");
  const size = useMemo(() => imageSize(bytes), [bytes]);
  const isTooLarge = size === undefined || size.width * size.height > PIXELS_MAX;
  useEffect(() => {
    if (isTooLarge) return;
    let isOver = false;
    void (async () => {
      try {
        const image = await createImageBitmap(new Blob([bytes], { type }));
        const element = canvas.current;
        if (isOver || element === null) return;
        element.width = image.width;
        element.height = image.height;
        element.getContext("2d")?.drawImage(image, 0, 0);
        setSays(`${image.width} × ${image.height}, ${type}`);
        image.close();
      } catch {
        if (!isOver) setSays("The browser cannot show this image.");
      }
    })();
    return () => {
      isOver = true;
    };
  }, [bytes, type, isTooLarge]);
  if (isTooLarge) {
    const what = size === undefined ? "It does not say how large it is" : `It is ${size.width.toLocaleString("en-US")} × ${size.height.toLocaleString("en-US")}`;
    return <p className="long wraps">{what}, and is not unfolded here. Its bytes are beside it, as hex.</p>;
  }
  return (
    <div className="long image-view" tabIndex={0}>
      <canvas ref={canvas} role="img" aria-label="The value as an image" width={1} height={1} />
      <p className="dim">{says}</p>
    </div>
  );
}
