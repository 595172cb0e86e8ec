import { useEffect, useRef, useState } from "react";

/** Draws an image. It is drawn on a canvas, for the page's policy lets no image come from elsewhere than the server. */
export function ImageView({ bytes, type }: { readonly bytes: Uint8Array<ArrayBuffer>; readonly type: string }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [says, setSays] = useState("");
  useEffect(() => {
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
  }, [bytes, type]);
  return (
    <div className="long image-view" tabIndex={0}>
      <canvas ref={canvas} role="img" aria-label="The value as an image" width={1} height={1} />
      <p className="dim">{says}</p>
    </div>
  );
}
