import { useQuery } from "@tanstack/react-query";
import { Card, Timeline } from "antd";
import { reviewPages, type Product } from "@/api/products";
import { useWords } from "@/shell/words";
import { Moment, State, type Tone } from "@/ui";

const TONES: Record<string, Tone> = { waiting: "warn", approved: "good", refused: "bad", withdrawn: "plain" };

/** What the platform said of it. Stores that nobody reviews do not see this. */
export function Reviews({ product }: { product: Product }) {
  const t = useWords("products");
  const reviews = useQuery(reviewPages(product.id)({ limit: 10 })).data?.rows ?? [];
  if (reviews.length === 0) return null;
  return (
    <Card size="small" title={t("reviews.title")}>
      <p className="muted" style={{ marginTop: 0 }}>{t(`reviews.${product.moderation}`)}</p>
      <Timeline
        items={reviews.map((review) => ({
          key: review.id,
          content: (
            <>
              <State kind="review" value={review.state} noun="products" tone={TONES[review.state] ?? "plain"} /> <Moment at={review.decided_at ?? review.created_at} />
              {review.reasons.map((reason) => <div key={reason}>{reason}</div>)}
            </>
          ),
        }))}
      />
    </Card>
  );
}
