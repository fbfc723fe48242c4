import { useEffect, useState, type CSSProperties } from "react";
import { useSession } from "../shell/session";

/** A picture of the store (`path` as the API gives it, `/images/…`). The console has another host than the store: it is fetched by name. */
export function StoreImage({ path, alt, style, className }: { path: string; alt: string; style?: CSSProperties; className?: string }) {
  const { store } = useSession();
  const [address, setAddress] = useState("");
  useEffect(() => {
    let made = "";
    let here = true;
    void fetch(path, { headers: { "X-Tessera-Store": store.slug } }).then(async (response) => {
      if (!response.ok || !here) return;
      made = URL.createObjectURL(await response.blob());
      setAddress(made);
    });
    return () => {
      here = false;
      if (made !== "") URL.revokeObjectURL(made);
    };
  }, [path, store.slug]);
  return address === "" ? <span className={className} style={style} /> : <img src={address} alt={alt} style={style} className={className} />;
}
