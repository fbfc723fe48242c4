import { DeleteOutlined, LeftOutlined, PlusOutlined, RightOutlined } from "@ant-design/icons";
import { Button, Card, Flex, Spin, Upload } from "antd";
import { useAddImage, useOrderImages, useRemoveImage, type Product } from "@/api/products";
import { useWords } from "@/shell/words";
import { StoreImage, useConfirm, useSay } from "@/ui";

const IMAGES_MAX = 10;
const BYTES_MAX = 2 * 1024 * 1024;
const SIDE = 120;

/** The first is its face. Each is encoded anew by the server, without whatever else the file held. */
export function Pictures({ product, readOnly }: { product: Product; readOnly: boolean }) {
  const t = useWords("products");
  const say = useSay("products");
  const confirm = useConfirm("products");
  const add = useAddImage(product.id);
  const order = useOrderImages(product.id);
  const remove = useRemoveImage(product.id);
  const ids = product.images.map((image) => image.id);
  const swap = (at: number, by: number) => {
    const next = [...ids];
    [next[at], next[at + by]] = [next[at + by]!, next[at]!];
    order.mutate(next, { onError: say.problem });
  };
  return (
    <Card size="small" title={t("pictures.title")} extra={<span className="muted">{t("pictures.count", { n: ids.length, most: IMAGES_MAX })}</span>}>
      <Flex gap={12} wrap>
        {product.images.map((image, at) => (
          <figure key={image.id} style={{ margin: 0, width: SIDE }}>
            <StoreImage
              path={image.path} alt={t("pictures.alt", { n: at + 1, name: product.name })}
              style={{ width: SIDE, height: SIDE, objectFit: "cover", borderRadius: 8, display: "block", background: "var(--ant-color-fill-tertiary)" }}
            />
            <figcaption>
              <Flex justify="space-between" align="center">
                <span className="muted" style={{ fontSize: 12 }}>{at === 0 ? t("pictures.face") : ""}</span>
                {!readOnly && (
                  <span>
                    {at > 0 && <Button type="text" size="small" icon={<LeftOutlined />} aria-label={t("pictures.earlier", { n: at + 1 })} onClick={() => swap(at, -1)} />}
                    {at < ids.length - 1 && <Button type="text" size="small" icon={<RightOutlined />} aria-label={t("pictures.later", { n: at + 1 })} onClick={() => swap(at, 1)} />}
                    <Button
                      type="text" size="small" icon={<DeleteOutlined />} aria-label={t("pictures.remove", { n: at + 1 })}
                      onClick={() => confirm({ title: t("pictures.remove", { n: at + 1 }), text: t("pictures.remove_text"), ok: t("remove"), danger: true, act: () => remove.mutateAsync(image.id) })}
                    />
                  </span>
                )}
              </Flex>
            </figcaption>
          </figure>
        ))}
        {!readOnly && ids.length < IMAGES_MAX && (
          <Upload
            accept="image/png,image/jpeg,image/webp" showUploadList={false} multiple disabled={add.isPending}
            beforeUpload={(file) => {
              if (file.size > BYTES_MAX) say.problem(new Error(t("pictures.large")));
              else add.mutate(file as File, { onError: say.problem });
              return false;
            }}
          >
            <button
              type="button" aria-label={t("pictures.add")}
              style={{ width: SIDE, height: SIDE, borderRadius: 8, border: "1px dashed var(--ant-color-border)", background: "none", color: "var(--ant-color-text-secondary)", cursor: "pointer", font: "inherit" }}
            >
              {add.isPending ? <Spin size="small" /> : <><PlusOutlined /><br />{t("pictures.add")}</>}
            </button>
          </Upload>
        )}
      </Flex>
      <p className="muted" style={{ margin: "8px 0 0" }}>{t("pictures.kinds")}</p>
    </Card>
  );
}
