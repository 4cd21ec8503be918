/**
 * What compilers and test runners make of some functions: the text that `toString` gives, with
 * lines broken where they were too long.
 *
 * Made by tsx 4 and esbuild 0.28 (`--keep-names`), Vitest 4, SWC 1.16, and TypeScript 7, for the
 * targets given. All of one source:
 *
 * ```ts
 * named = (list) => { const double = …; function inner …; class Sum { total, static made, #p }; … }
 * rest = async (a) => { const { b, ...rest } = { b: a, c: 2, d: 3 }; …; return { ...rest, b, e: a ** 2 } }
 * closes = (seen) => { using a = …; using b = …; using none = null; seen.push('body'); return seen }
 * closesLater = async (seen) => { await using a = …; await using b = … throws; throw new Error('body') }
 * counts = async function* (n) { for (let i = 0; i < n; i++) yield i }
 * imported = (path) => basename(path)
 * dynamic = async (path) => (await import('node:path')).basename(path)
 * ```
 *
 * @module
 */

/** tsx: for the Node that runs it. */
export const tsx = {
  named: `list=>{const double=__name(x=>x*2,"double");function inner(y){return double(y)}__name(inner,
"inner");class Sum{static{__name(this,"Sum")}total=0;static made=1;#p=3;add(n){
this.total+=n+this.#p}}const sum=new Sum;for(const each of list)sum.add(inner(each));
return[sum.total,Sum.made,double.name,inner.name]}`,
  rest: `async a=>{const{b,...rest2}={b:a,c:2,d:3};await null;return{...rest2,b,e:a**2}}`,
  closes: `seen=>{var _stack=[];try{const a=__using(_stack,{[Symbol.dispose](){seen.push("a")}});
const b=__using(_stack,{[Symbol.dispose](){seen.push("b")}});const none=__using(_stack,null);
seen.push("body");return seen}catch(_){var _error=_,_hasError=true}finally{__callDispose(_stack,
_error,_hasError)}}`,
  closesLater: `async seen=>{var _stack=[];try{const a=__using(_stack,{async[Symbol.asyncDispose](){await null;
seen.push("a")}},true);const b=__using(_stack,{[Symbol.dispose](){throw new Error("b")}},true);
throw new Error("body")}catch(_){var _error=_,_hasError=true}finally{
var _promise=__callDispose(_stack,_error,_hasError);_promise&&await _promise}}`,
  dynamic: `async path=>(await import("node:path").then(s=>{const e="default";
return s[e]&&typeof s[e]=="object"&&"__esModule"in s[e]?s[e]:s})).basename(path)`,
  imported: `path=>basename(path)`,
}

/** esbuild: ES2015. */
export const esbuild = {
  named: `(list) => {
  var _p;
  const double = /* @__PURE__ */ __name((x) => x * 2, "double");
  function inner(y) {
    return double(y);
  }
  __name(inner, "inner");
  const _Sum = class _Sum {
    constructor() {
      __publicField(this, "total", 0);
      __privateAdd(this, _p, 3);
    }
    add(n) {
      this.total += n + __privateGet(this, _p);
    }
  };
  _p = new WeakMap();
  __name(_Sum, "Sum");
  __publicField(_Sum, "made", 1);
  let Sum = _Sum;
  const sum = new Sum();
  for (const each of list) sum.add(inner(each));
  return [sum.total, Sum.made, double.name, inner.name];
}`,
  rest: `(a) => __async(null, null, function* () {
  const _a = { b: a, c: 2, d: 3 }, { b } = _a, rest2 = __objRest(_a, ["b"]);
  yield null;
  return __spreadProps(__spreadValues({}, rest2), { b, e: __pow(a, 2) });
})`,
  closesLater: `(seen) => __async(null, null, function* () {
  var _stack = [];
  try {
    const a = __using(_stack, { [Symbol.asyncDispose]() {
      return __async(this, null, function* () {
        yield null;
        seen.push("a");
      });
    } }, true);
    const b = __using(_stack, { [Symbol.dispose]() {
      throw new Error("b");
    } }, true);
    throw new Error("body");
  } catch (_) {
    var _error = _, _hasError = true;
  } finally {
    var _promise = __callDispose(_stack, _error, _hasError);
    _promise && (yield _promise);
  }
})`,
  counts: `function(n) {
  return __asyncGenerator(this, null, function* () {
    for (let i = 0; i < n; i++) yield i;
  });
}`,
  imported: `(path) => basename(path)`,
}

/** Vitest. */
export const vitest = {
  imported: `(path) => (0,__vite_ssr_import_0__.basename)(path)`,
  dynamic: `async (path) => (await __vite_ssr_dynamic_import__("node:path")).basename(path)`,
}

/** SWC: ES2016. */
export const swc = {
  rest: `(a)=>_async_to_generator(function*() {
        const _ref = {
            b: a,
            c: 2,
            d: 3
        }, { b } = _ref, rest = _object_without_properties(_ref, [
            "b"
        ]);
        yield null;
        return _object_spread_props(_object_spread({}, rest), {
            b,
            e: a ** 2
        });
    })()`,
  closes: `(seen)=>{
    const env = {
        stack: [],
        error: void 0,
        hasError: false
    };
    try {
        const a = _ts_add_disposable_resource(env, {
            [Symbol.dispose] () {
                seen.push('a');
            }
        }, false);
        const b = _ts_add_disposable_resource(env, {
            [Symbol.dispose] () {
                seen.push('b');
            }
        }, false);
        const none = _ts_add_disposable_resource(env, null, false);
        seen.push('body');
        return seen;
    } catch (e) {
        env.error = e;
        env.hasError = true;
    } finally{
        _ts_dispose_resources(env);
    }
}`,
  closesLater: `(seen)=>_async_to_generator(function*() {
        const env = {
            stack: [],
            error: void 0,
            hasError: false
        };
        try {
            const a = _ts_add_disposable_resource(env, {
                [Symbol.asyncDispose] () {
                    return _async_to_generator(function*() {
                        yield null;
                        seen.push('a');
                    })();
                }
            }, true);
            const b = _ts_add_disposable_resource(env, {
                [Symbol.dispose] () {
                    throw new Error('b');
                }
            }, true);
            throw new Error('body');
        } catch (e) {
            env.error = e;
            env.hasError = true;
        } finally{
            const result = _ts_dispose_resources(env);
            if (result) yield result;
        }
    })()`,
  counts: `function(n) {
    return _wrap_async_generator(function*() {
        for(let i = 0; i < n; i++)yield i;
    })();
}`,
}

/** TypeScript: ES2015, CommonJS. */
export const tsc = {
  rest: `(a) => __awaiter(void 0, void 0, void 0, function* () { const _a = { b: a, c: 2, d: 3 }, { b }
 = _a, rest = __rest(_a, ["b"]); yield null; return Object.assign(Object.assign({}, rest), { b,
 e: Math.pow(a, 2) }); })`,
  closes: `(seen) => { const env_1 = { stack: [], error: void 0, hasError: false }; try {
    const a = __addDisposableResource(env_1, { [Symbol.dispose]() { seen.push('a'); } }, false);
    const b = __addDisposableResource(env_1, { [Symbol.dispose]() { seen.push('b'); } }, false);
    const none = __addDisposableResource(env_1, null, false);
    seen.push('body');
    return seen;
}
catch (e_1) {
    env_1.error = e_1;
    env_1.hasError = true;
}
finally {
    __disposeResources(env_1);
} }`,
  closesLater: `(seen) => __awaiter(void 0, void 0, void 0, function* () { const env_2 = { stack: [],
 error: void 0, hasError: false }; try {
    const a = __addDisposableResource(env_2, { [Symbol.asyncDispose]() {
            return __awaiter(this, void 0, void 0, function* () { yield null; seen.push('a'); }
);
        } }, true);
    const b = __addDisposableResource(env_2, { [Symbol.dispose]() { throw new Error('b'); } },
 true);
    throw new Error('body');
}
catch (e_2) {
    env_2.error = e_2;
    env_2.hasError = true;
}
finally {
    const result_1 = __disposeResources(env_2);
    if (result_1)
        yield result_1;
} })`,
  counts: `function (n) { return __asyncGenerator(this, arguments, function* () { for (let i = 0; i < n;
 i++)
    yield yield __await(i); }); }`,
  imported: `(path) => (0, node_path_1.basename)(path)`,
}

/** Istanbul: `(a, b = 1) => { if (a > b) { const g = () => a?.x ?? 2; return g() } return a && b }` */
export const istanbul = `(a,b=(cov_2dnv10dngs().b[0][0]++,1))=>{
cov_2dnv10dngs().f[0]++;cov_2dnv10dngs().s[1]++;
if(a>b){cov_2dnv10dngs().b[1][0]++;cov_2dnv10dngs().s[2]++;
const g=()=>{cov_2dnv10dngs().f[1]++;cov_2dnv10dngs().s[3]++;
return(cov_2dnv10dngs().b[2][0]++,a?.x)??(cov_2dnv10dngs().b[2][1]++,2);};
cov_2dnv10dngs().s[4]++;return g();}else{cov_2dnv10dngs().b[1][1]++;}
cov_2dnv10dngs().s[5]++;return(cov_2dnv10dngs().b[3][0]++,a)&&(cov_2dnv10dngs().b[3][1]++,b);}`
