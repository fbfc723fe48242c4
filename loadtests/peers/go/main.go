// The same contract in Go: net/http and redigo, one EVALSHA a request, answered after Redis. Nothing is durable.
//
//	go-peer -port 8001 -script reserve_one.lua [-constant]
//
// REDIS_URL is the shop's; PEER_SHOPPERS_KEY and PEER_ORDERS_KEY are the two keys it derives from its secret, in hex. GOMAXPROCS
// is how many cores it may use. With -constant it parses and authenticates, and then answers without work.
package main

import (
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/gomodule/redigo/redis"
	"golang.org/x/crypto/blake2b"
)

const (
	tokenPrefix = "st_"
	claimsSize  = 16 + 16 + 4
	macSize     = 18
	bodyMax     = 64 << 10
	priceMinor  = 9900
	holdFor     = 900 * time.Second
	poolSize    = 64
)

const (
	closed = iota
	reserved
	replay
	limit
	soldOut
	conflict
)

type wish struct {
	SaleID   string `json:"sale_id"`
	Quantity int    `json:"quantity"`
}

type reservation struct {
	ID          string `json:"id"`
	State       string `json:"state"`
	SaleID      string `json:"sale_id"`
	Quantity    int    `json:"quantity"`
	AmountMinor int    `json:"amount_minor"`
	Currency    string `json:"currency"`
	ExpiresAt   string `json:"expires_at"`
}

type problem struct {
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
	Code   string `json:"code"`
	Type   string `json:"type"`
}

type shopper struct {
	tenant, id []byte
}

type server struct {
	shoppersKey, ordersKey []byte
	pool                   *redis.Pool
	script                 *redis.Script
}

var refusals = map[int]problem{
	closed:   {"Service Unavailable", 503, "The sale is closed. Nothing was reserved.", "closed", "about:blank"},
	limit:    {"Conflict", 409, "You have as many of these as one shopper may buy.", "limit", "about:blank"},
	soldOut:  {"Conflict", 409, "Sold out: fewer are left than you asked for.", "sold_out", "about:blank"},
	conflict: {"Conflict", 409, "This Idempotency-Key was used for another wish.", "idempotency_conflict", "about:blank"},
}

// mac is keyed BLAKE2b, as checkout_core.secrets makes it.
func mac(key []byte, size int, parts ...[]byte) []byte {
	hash, err := blake2b.New(size, key)
	if err != nil {
		panic(err)
	}
	for _, part := range parts {
		hash.Write(part)
	}
	return hash.Sum(nil)
}

// verify is checkout_core.tokens.verify: tenant, shopper, expiry and their MAC.
func (s *server) verify(authorization string) (shopper, bool) {
	token := strings.TrimPrefix(authorization, "Bearer ")
	if !strings.HasPrefix(token, tokenPrefix) {
		return shopper{}, false
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(token[len(tokenPrefix):])
	if err != nil || len(raw) != claimsSize+macSize {
		return shopper{}, false
	}
	claims := raw[:claimsSize]
	if subtle.ConstantTimeCompare(raw[claimsSize:], mac(s.shoppersKey, macSize, claims)) != 1 {
		return shopper{}, false
	}
	if int64(binary.BigEndian.Uint32(claims[32:])) < time.Now().Unix() {
		return shopper{}, false
	}
	return shopper{claims[:16], claims[16:32]}, true
}

func isKey(key string) bool {
	if len(key) < 1 || len(key) > 255 {
		return false
	}
	for i := 0; i < len(key); i++ {
		if key[i] < 0x21 || key[i] > 0x7e {
			return false
		}
	}
	return true
}

func say(w http.ResponseWriter, status int, kind string, document interface{}) {
	body, err := json.Marshal(document)
	if err != nil {
		panic(err)
	}
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(status)
	w.Write(body)
}

func refuse(w http.ResponseWriter, status int, code, detail string) {
	say(w, status, "application/problem+json", problem{http.StatusText(status), status, detail, code, "about:blank"})
}

func (s *server) checkout(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		refuse(w, 405, "method_not_allowed", "Only POST is allowed.")
		return
	}
	who, ok := s.verify(r.Header.Get("Authorization"))
	if !ok {
		refuse(w, 401, "unauthorized", "The shopper token is not ours.")
		return
	}
	key := r.Header.Get("Idempotency-Key")
	if !isKey(key) {
		refuse(w, 400, "bad_request", "An Idempotency-Key of 1 to 255 visible characters is needed.")
		return
	}
	var asked wish
	decoder := json.NewDecoder(io.LimitReader(r.Body, bodyMax))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&asked); err != nil || asked.Quantity < 1 || asked.Quantity > 100 {
		refuse(w, 400, "bad_request", "The body is not what is asked for here.")
		return
	}
	if len(asked.SaleID) != 36 || !strings.HasPrefix(asked.SaleID, "sal_") {
		refuse(w, 404, "not_found", "There is no such sale.")
		return
	}
	order := mac(s.ordersKey, 16, who.tenant, who.id, []byte(key))
	code := reserved
	if s.pool != nil {
		var err error
		if code, err = s.reserve(asked, order, who.id); err != nil {
			log.Print(err)
			refuse(w, 503, "unavailable", "The sale cannot be reached. Ask again.")
			return
		}
	}
	if problem, refused := refusals[code]; refused {
		say(w, problem.Status, "application/problem+json", problem)
		return
	}
	until := time.Now().UTC().Add(holdFor).Format(time.RFC3339Nano)
	id := "ord_" + hex.EncodeToString(order)
	amount := asked.Quantity * priceMinor
	say(w, 201, "application/json", reservation{id, "awaiting", asked.SaleID, asked.Quantity, amount, "CNY", until})
}

func (s *server) reserve(asked wish, order, who []byte) (int, error) {
	conn := s.pool.Get()
	defer conn.Close()
	sale := "{peer:" + asked.SaleID[4:] + "}"
	body := append(append(make([]byte, 0, 18), who...), byte(asked.Quantity>>8), byte(asked.Quantity))
	return redis.Int(s.script.Do(conn, sale+":sale", sale+":by", sale+":orders", order, who, asked.Quantity, body))
}

// newPool reads redis://host:port/db and unix:///path?db=n.
func newPool(text string) (*redis.Pool, error) {
	address, err := url.Parse(text)
	if err != nil {
		return nil, err
	}
	dial := func() (redis.Conn, error) { return redis.DialURL(text) }
	if address.Scheme == "unix" {
		db := 0
		fmt.Sscan(address.Query().Get("db"), &db)
		dial = func() (redis.Conn, error) { return redis.Dial("unix", address.Path, redis.DialDatabase(db)) }
	}
	return &redis.Pool{MaxIdle: poolSize, MaxActive: poolSize, Wait: true, Dial: dial}, nil
}

func keyFrom(name string) ([]byte, error) {
	key, err := hex.DecodeString(os.Getenv(name))
	if err == nil && len(key) != 32 {
		err = errors.New(name + " is not 32 bytes in hex")
	}
	return key, err
}

func run() error {
	port := flag.Int("port", 8001, "on 127.0.0.1")
	script := flag.String("script", "", "the file of the Lua script")
	constant := flag.Bool("constant", false, "answer without work")
	flag.Parse()
	s := &server{}
	var err error
	if s.shoppersKey, err = keyFrom("PEER_SHOPPERS_KEY"); err != nil {
		return err
	}
	if s.ordersKey, err = keyFrom("PEER_ORDERS_KEY"); err != nil {
		return err
	}
	if !*constant {
		body, err := os.ReadFile(*script)
		if err != nil {
			return err
		}
		s.script = redis.NewScript(3, string(body))
		if s.pool, err = newPool(os.Getenv("REDIS_URL")); err != nil {
			return err
		}
	}
	routes := http.NewServeMux()
	routes.HandleFunc("/v1/checkouts", s.checkout)
	routes.HandleFunc("/readyz", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "ready") })
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", *port))
	if err != nil {
		return err
	}
	return http.Serve(listener, routes)
}

func main() {
	if err := run(); err != nil {
		log.Fatal(err)
	}
}
