BEGIN TRANSACTION;
CREATE TABLE cursor_of_place (
            source TEXT NOT NULL,
            place TEXT NOT NULL,
            position BIGINT NOT NULL,
            PRIMARY KEY (source, place)
        );
INSERT INTO "cursor_of_place" VALUES('discord','100000000000000011',1576268028897656832);
INSERT INTO "cursor_of_place" VALUES('discord','100000000000000012',100000000000000012);
INSERT INTO "cursor_of_place" VALUES('discord','1576268029472276480',1576268029472276480);
INSERT INTO "cursor_of_place" VALUES('discord','1576268030608932865',1576268030613127167);
CREATE TABLE delivery (
            turn_id TEXT NOT NULL REFERENCES turn (id),
            attempt BIGINT NOT NULL,
            kind TEXT NOT NULL,
            round BIGINT NOT NULL,
            part BIGINT NOT NULL,
            body TEXT NOT NULL,
            message_id TEXT,
            final BIGINT NOT NULL,
            sent BIGINT NOT NULL,
            PRIMARY KEY (turn_id, attempt, kind, round, part)
        );
INSERT INTO "delivery" VALUES('831f9a17e5fabbb0',1,'card',0,0,'{"embed": {"color": 3908957, "fields": [{"name": "\u2705 calculate", "value": "`expression: 24*7`\n`168`\ndone \u00b7 0.0 s", "inline": false}]}, "buttons": [{"custom_id": "lg:details:831f9a17e5fabbb0:1:0.0", "label": "Details", "style": "secondary", "row": 2}]}','1576268029061234688',1,1);
INSERT INTO "delivery" VALUES('831f9a17e5fabbb0',1,'text',1,0,'{"content": "It is 168.\n-# test-model \u00b7 30 tokens \u00b7 0.0 s", "buttons": [{"custom_id": "lg:regenerate:831f9a17e5fabbb0:1", "label": "Regenerate", "style": "secondary", "row": 3}, {"custom_id": "lg:undo:831f9a17e5fabbb0:1", "label": "Undo", "style": "secondary", "row": 3}, {"custom_id": "lg:details:831f9a17e5fabbb0:1", "label": "Details", "style": "secondary", "row": 3}]}','1576268029069623296',1,1);
INSERT INTO "delivery" VALUES('49baa507f2421bc2',1,'text',0,0,'{"content": "A dog.\n-# test-model \u00b7 15 tokens \u00b7 0.0 s", "buttons": [{"custom_id": "lg:regenerate:49baa507f2421bc2:1", "label": "Regenerate", "style": "secondary", "row": 3}, {"custom_id": "lg:undo:49baa507f2421bc2:1", "label": "Undo", "style": "secondary", "row": 3}, {"custom_id": "lg:details:49baa507f2421bc2:1", "label": "Details", "style": "secondary", "row": 3}]}','1576268029145120768',1,1);
INSERT INTO "delivery" VALUES('49baa507f2421bc2',2,'text',0,0,'{"content": "A cat, and a list.\n-# test-model \u00b7 15 tokens \u00b7 0.0 s", "buttons": [{"custom_id": "lg:regenerate:49baa507f2421bc2:2", "label": "Regenerate", "style": "secondary", "row": 3}, {"custom_id": "lg:undo:49baa507f2421bc2:2", "label": "Undo", "style": "secondary", "row": 3}, {"custom_id": "lg:details:49baa507f2421bc2:2", "label": "Details", "style": "secondary", "row": 3}]}','1576268029145120768',1,1);
INSERT INTO "delivery" VALUES('fe506b2ab5f5ec84',1,'text',0,0,'{"content": "Hello Grace.\n-# test-model \u00b7 15 tokens \u00b7 0.0 s", "buttons": [{"custom_id": "lg:regenerate:fe506b2ab5f5ec84:1", "label": "Regenerate", "style": "secondary", "row": 3}, {"custom_id": "lg:undo:fe506b2ab5f5ec84:1", "label": "Undo", "style": "secondary", "row": 3}, {"custom_id": "lg:details:fe506b2ab5f5ec84:1", "label": "Details", "style": "secondary", "row": 3}]}','1576268029300310016',1,1);
INSERT INTO "delivery" VALUES('75cbcea0102dd8e0',1,'notice',0,0,'{"content": "\u26a0\ufe0f The model service refused the request (400). It said: this is not allowed\n-# 0.0 s", "buttons": [{"custom_id": "lg:retry:75cbcea0102dd8e0:1", "label": "Retry", "style": "primary", "row": 3}, {"custom_id": "lg:undo:75cbcea0102dd8e0:1", "label": "Undo", "style": "secondary", "row": 3}, {"custom_id": "lg:details:75cbcea0102dd8e0:1", "label": "Details", "style": "secondary", "row": 3}]}','1576268029371613184',1,1);
INSERT INTO "delivery" VALUES('a5012aacc8001fba',1,'text',0,0,'{"content": "Once upon"}','1576268029417750528',1,1);
INSERT INTO "delivery" VALUES('a5012aacc8001fba',1,'notice',0,0,'{"content": "\u23f9\ufe0f Stopped.\n-# 0.0 s", "buttons": [{"custom_id": "lg:regenerate:a5012aacc8001fba:1", "label": "Regenerate", "style": "secondary", "row": 3}, {"custom_id": "lg:undo:a5012aacc8001fba:1", "label": "Undo", "style": "secondary", "row": 3}, {"custom_id": "lg:details:a5012aacc8001fba:1", "label": "Details", "style": "secondary", "row": 3}]}','1576268029459693568',1,1);
INSERT INTO "delivery" VALUES('43ce353c593bd4b4',1,'card',0,0,'{"embed": {"color": 3908957, "fields": [{"name": "\u2705 send_email", "value": "`to: test@example.com, subject: Hello, body: Approved`\n`Not sent, because no mail server is configured: written to data/outbox/20261128-160623-759e0cb4.eml`\ndone \u00b7 0.0 s \u00b7 approved by <@100000000000000021>", "inline": false}]}, "buttons": [{"custom_id": "lg:details:43ce353c593bd4b4:1:0.0", "label": "Details", "style": "secondary", "row": 2}]}','1576268029946232832',1,1);
INSERT INTO "delivery" VALUES('43ce353c593bd4b4',1,'text',1,0,'{"content": "It is sent.\n-# test-model \u00b7 30 tokens \u00b7 0.1 s", "buttons": [{"custom_id": "lg:regenerate:43ce353c593bd4b4:1", "label": "Regenerate", "style": "secondary", "row": 3}, {"custom_id": "lg:undo:43ce353c593bd4b4:1", "label": "Undo", "style": "secondary", "row": 3}, {"custom_id": "lg:details:43ce353c593bd4b4:1", "label": "Details", "style": "secondary", "row": 3}]}','1576268030017536000',1,1);
INSERT INTO "delivery" VALUES('07db76c1dee3d5db',1,'text',0,0,'{}','1576268030172725248',0,0);
INSERT INTO "delivery" VALUES('07db76c1dee3d5db',1,'card',0,0,'{}','1576268030604738560',0,0);
INSERT INTO "delivery" VALUES('5f292401a778eba6',1,'card',0,0,'{}','1576268031095472128',0,0);
CREATE TABLE image (
            turn_id TEXT NOT NULL REFERENCES turn (id),
            number BIGINT NOT NULL,
            data TEXT NOT NULL,
            PRIMARY KEY (turn_id, number)
        );
INSERT INTO "image" VALUES('49baa507f2421bc2',0,'data:image/png;base64,iVBORw0KGgoAAAAAAAAAAAAAAAAAAAAA');
INSERT INTO "image" VALUES('baedb52a0b0e0471',0,'data:image/png;base64,iVBORw0KGgoAAAAAAAAAAAAAAAAAAAAA');
CREATE TABLE inbox (
            source TEXT NOT NULL,
            source_id TEXT NOT NULL,
            turn_id TEXT NOT NULL REFERENCES turn (id),
            PRIMARY KEY (source, source_id)
        );
INSERT INTO "inbox" VALUES('discord','1576268028943794176','831f9a17e5fabbb0');
INSERT INTO "inbox" VALUES('discord','1576268029078011904','49baa507f2421bc2');
INSERT INTO "inbox" VALUES('discord','1576268029254172672','fe506b2ab5f5ec84');
INSERT INTO "inbox" VALUES('discord','1576268029325475840','75cbcea0102dd8e0');
INSERT INTO "inbox" VALUES('discord','1576268029380001792','a5012aacc8001fba');
INSERT INTO "inbox" VALUES('discord','1576268029472276481','43ce353c593bd4b4');
INSERT INTO "inbox" VALUES('terminal','0a1b2c3d-1','afde6b4f85794d55');
INSERT INTO "inbox" VALUES('terminal','0a1b2c3d-2','96c307f3fbe98149');
INSERT INTO "inbox" VALUES('discord','1576268030118199296','07db76c1dee3d5db');
INSERT INTO "inbox" VALUES('discord','1576268030608932864','0076961ab2cbf83c');
INSERT INTO "inbox" VALUES('discord','1576268030613127168','5f292401a778eba6');
CREATE TABLE login (source TEXT NOT NULL, at BIGINT NOT NULL);
INSERT INTO "login" VALUES('discord',1795881983);
CREATE TABLE schema_version (version BIGINT NOT NULL);
INSERT INTO "schema_version" VALUES(5);
CREATE TABLE session (
            id TEXT PRIMARY KEY,
            name TEXT NOT NULL,
            cleared_seq BIGINT NOT NULL,
            updated_at TEXT NOT NULL
        , scopes TEXT NOT NULL DEFAULT '[]', title TEXT);
INSERT INTO "session" VALUES('discord:100000000000000011','#general in Playground',0,'2026-11-28T16:06:23.830845+00:00','["discord:100000000000000011", "discord:category:100000000000000013", "discord:server:100000000000000001"]',NULL);
INSERT INTO "session" VALUES('discord:100000000000000012','#random in Playground',0,'2026-11-28T16:06:24.145165+00:00','["discord:100000000000000012", "discord:category:100000000000000013", "discord:server:100000000000000001"]',NULL);
INSERT INTO "session" VALUES('discord:1576268029472276480','DM with Ada',0,'2026-11-28T16:06:23.998926+00:00','["discord:1576268029472276480"]',NULL);
INSERT INTO "session" VALUES('discord:1576268030051090432','#On from general in Playground',0,'2026-11-28T16:06:24.009165+00:00','["discord:1576268030051090432", "discord:100000000000000011", "discord:category:100000000000000013", "discord:server:100000000000000001"]',NULL);
INSERT INTO "session" VALUES('terminal:0a1b2c3d','Terminal',0,'2026-11-28T16:06:24.023397+00:00','[]',NULL);
INSERT INTO "session" VALUES('discord:1576268030608932865','#Mail in Playground',0,'2026-11-28T16:06:24.146190+00:00','["discord:1576268030608932865", "discord:100000000000000011", "discord:category:100000000000000013", "discord:server:100000000000000001"]',NULL);
CREATE TABLE setting (
            scope TEXT NOT NULL,
            name TEXT NOT NULL,
            value TEXT NOT NULL,
            changed_by TEXT NOT NULL,
            changed_at TEXT NOT NULL,
            PRIMARY KEY (scope, name)
        );
INSERT INTO "setting" VALUES('discord:100000000000000011','system_prompt','Be kind.','100000000000000021','2026-11-28T16:06:23.734810+00:00');
INSERT INTO "setting" VALUES('discord:server:100000000000000001','style','brief','100000000000000021','2026-11-28T16:06:23.741082+00:00');
INSERT INTO "setting" VALUES('discord:category:100000000000000013','daily_tokens','200000','100000000000000021','2026-11-28T16:06:23.744216+00:00');
CREATE TABLE spent (
            scope TEXT NOT NULL,
            day TEXT NOT NULL,
            tokens BIGINT NOT NULL,
            PRIMARY KEY (scope, day)
        );
INSERT INTO "spent" VALUES('discord:100000000000000011','2026-11-28',90);
INSERT INTO "spent" VALUES('discord:category:100000000000000013','2026-11-28',452);
INSERT INTO "spent" VALUES('discord:server:100000000000000001','2026-11-28',452);
INSERT INTO "spent" VALUES('*','2026-11-28',512);
INSERT INTO "spent" VALUES('discord:100000000000000012','2026-11-28',362);
INSERT INTO "spent" VALUES('discord:1576268029472276480','2026-11-28',30);
INSERT INTO "spent" VALUES('terminal:0a1b2c3d','2026-11-28',30);
INSERT INTO "spent" VALUES('discord:1576268030608932865','2026-11-28',15);
CREATE TABLE step (
            turn_id TEXT NOT NULL REFERENCES turn (id),
            attempt BIGINT NOT NULL,
            seq BIGINT NOT NULL,
            body TEXT NOT NULL,
            PRIMARY KEY (turn_id, attempt, seq)
        );
INSERT INTO "step" VALUES('831f9a17e5fabbb0',1,1,'{"kind":"prompt","text":"What is 24*7?","source_id":"1576268028943794176","version":0,"author":{"id":"100000000000000021","name":"Ada"},"quoted":null,"attachments":[]}');
INSERT INTO "step" VALUES('831f9a17e5fabbb0',1,2,'{"kind":"reply","round":0,"text":"","tool_calls":[{"id":"teFLVdjid","name":"calculate","arguments":"{\"expression\": \"24*7\"}"}],"finish":"tool_calls","model":"test-model","usage":{"input_tokens":10,"output_tokens":5,"cached_tokens":0},"seconds":0.00678245899985086,"unseen":false}');
INSERT INTO "step" VALUES('831f9a17e5fabbb0',1,3,'{"kind":"started","round":0,"call_id":"teFLVdjid","at":"2026-11-28T16:06:23.761762Z"}');
INSERT INTO "step" VALUES('831f9a17e5fabbb0',1,4,'{"kind":"result","round":0,"result":{"call_id":"teFLVdjid","name":"calculate","content":"168","ok":true},"seconds":0.0009433319999061496}');
INSERT INTO "step" VALUES('831f9a17e5fabbb0',1,5,'{"kind":"reply","round":1,"text":"It is 168.","tool_calls":[],"finish":"stop","model":"test-model","usage":{"input_tokens":10,"output_tokens":5,"cached_tokens":0},"seconds":0.002359457000011389,"unseen":false}');
INSERT INTO "step" VALUES('831f9a17e5fabbb0',1,6,'{"kind":"outcome","state":"done","notice":null,"partial":"","seconds":0.018828009999879214}');
INSERT INTO "step" VALUES('49baa507f2421bc2',1,1,'{"kind":"prompt","text":"What is this?","source_id":"1576268029078011904","version":0,"author":{"id":"100000000000000021","name":"Ada"},"quoted":null,"attachments":[{"name":"cat.png","media_type":"image/png","size":24,"id":"1576268029082206208","text":null,"image":0,"note":null},{"name":"list.txt","media_type":"application/octet-stream","size":11,"id":"1576268029082206209","text":"milk, bread","image":null,"note":null}]}');
INSERT INTO "step" VALUES('49baa507f2421bc2',1,2,'{"kind":"reply","round":0,"text":"A dog.","tool_calls":[],"finish":"stop","model":"test-model","usage":{"input_tokens":10,"output_tokens":5,"cached_tokens":0},"seconds":0.0031212189999223483,"unseen":false}');
INSERT INTO "step" VALUES('49baa507f2421bc2',1,3,'{"kind":"outcome","state":"done","notice":null,"partial":"","seconds":0.00844918599977973}');
INSERT INTO "step" VALUES('49baa507f2421bc2',2,1,'{"kind":"prompt","text":"What is this?","source_id":"1576268029078011904","version":0,"author":{"id":"100000000000000021","name":"Ada"},"quoted":null,"attachments":[{"name":"cat.png","media_type":"image/png","size":24,"id":"1576268029082206208","text":null,"image":0,"note":null},{"name":"list.txt","media_type":"application/octet-stream","size":11,"id":"1576268029082206209","text":"milk, bread","image":null,"note":null}]}');
INSERT INTO "step" VALUES('49baa507f2421bc2',2,2,'{"kind":"reply","round":0,"text":"A cat, and a list.","tool_calls":[],"finish":"stop","model":"test-model","usage":{"input_tokens":10,"output_tokens":5,"cached_tokens":0},"seconds":0.004180722000000969,"unseen":false}');
INSERT INTO "step" VALUES('49baa507f2421bc2',2,3,'{"kind":"outcome","state":"done","notice":null,"partial":"","seconds":0.008509886000183542}');
INSERT INTO "step" VALUES('fe506b2ab5f5ec84',1,1,'{"kind":"prompt","text":"And I am Grace.","source_id":"1576268029254172672","version":0,"author":{"id":"100000000000000022","name":"Grace"},"quoted":null,"attachments":[]}');
INSERT INTO "step" VALUES('fe506b2ab5f5ec84',1,2,'{"kind":"reply","round":0,"text":"Hello Grace.","tool_calls":[],"finish":"stop","model":"test-model","usage":{"input_tokens":10,"output_tokens":5,"cached_tokens":0},"seconds":0.003774378999878536,"unseen":false}');
INSERT INTO "step" VALUES('fe506b2ab5f5ec84',1,3,'{"kind":"outcome","state":"done","notice":null,"partial":"","seconds":0.007395189999897411}');
INSERT INTO "step" VALUES('75cbcea0102dd8e0',1,1,'{"kind":"prompt","text":"This fails.","source_id":"1576268029325475840","version":0,"author":{"id":"100000000000000021","name":"Ada"},"quoted":null,"attachments":[]}');
INSERT INTO "step" VALUES('75cbcea0102dd8e0',1,2,'{"kind":"outcome","state":"failed","notice":"The model service refused the request (400). It said: this is not allowed","partial":"","seconds":0.004319449000149689}');
INSERT INTO "step" VALUES('a5012aacc8001fba',1,1,'{"kind":"prompt","text":"Tell me a story.","source_id":"1576268029380001792","version":0,"author":{"id":"100000000000000021","name":"Ada"},"quoted":null,"attachments":[]}');
INSERT INTO "step" VALUES('a5012aacc8001fba',1,2,'{"kind":"outcome","state":"stopped","notice":"Stopped.","partial":"Once upon ","seconds":0.012231226000039896}');
INSERT INTO "step" VALUES('43ce353c593bd4b4',1,1,'{"kind":"prompt","text":"Write to them.","source_id":"1576268029472276481","version":0,"author":{"id":"100000000000000021","name":"Ada"},"quoted":null,"attachments":[]}');
INSERT INTO "step" VALUES('43ce353c593bd4b4',1,2,'{"kind":"reply","round":0,"text":"","tool_calls":[{"id":"9QthQfTBS","name":"send_email","arguments":"{\"to\": \"test@example.com\", \"subject\": \"Hello\", \"body\": \"Approved\"}"}],"finish":"tool_calls","model":"test-model","usage":{"input_tokens":10,"output_tokens":5,"cached_tokens":0},"seconds":0.0032680960000561754,"unseen":false}');
INSERT INTO "step" VALUES('43ce353c593bd4b4',1,3,'{"kind":"waiting","round":0,"call_id":"9QthQfTBS","deadline":"2126-11-04T16:06:23.881216Z","fingerprint":"5988af49a061282b127e17f6005ec488cb5f9ec83cff1badd075d57e1e902c25","allows_always":false}');
INSERT INTO "step" VALUES('43ce353c593bd4b4',1,4,'{"kind":"decision","call_id":"9QthQfTBS","approved":true,"decided_by":{"id":"100000000000000021","name":"Ada"},"reason":null,"always":false}');
INSERT INTO "step" VALUES('43ce353c593bd4b4',1,5,'{"kind":"started","round":0,"call_id":"9QthQfTBS","at":"2026-11-28T16:06:23.989814Z"}');
INSERT INTO "step" VALUES('43ce353c593bd4b4',1,6,'{"kind":"result","round":0,"result":{"call_id":"9QthQfTBS","name":"send_email","content":"Not sent, because no mail server is configured: written to data/outbox/20261128-160623-759e0cb4.eml","ok":true},"seconds":0.0020772269999724813}');
INSERT INTO "step" VALUES('43ce353c593bd4b4',1,7,'{"kind":"reply","round":1,"text":"It is sent.","tool_calls":[],"finish":"stop","model":"test-model","usage":{"input_tokens":10,"output_tokens":5,"cached_tokens":0},"seconds":0.002203884999971706,"unseen":false}');
INSERT INTO "step" VALUES('43ce353c593bd4b4',1,8,'{"kind":"outcome","state":"done","notice":null,"partial":"","seconds":0.12376266100000066}');
INSERT INTO "step" VALUES('8b61fef911ed5c97',1,1,'{"kind":"prompt","text":"What is 24*7?","source_id":"1576268028943794176","version":0,"author":{"id":"100000000000000021","name":"Ada"},"quoted":null,"attachments":[]}');
INSERT INTO "step" VALUES('8b61fef911ed5c97',1,2,'{"kind":"reply","round":0,"text":"","tool_calls":[{"id":"teFLVdjid","name":"calculate","arguments":"{\"expression\": \"24*7\"}"}],"finish":"tool_calls","model":"test-model","usage":{"input_tokens":10,"output_tokens":5,"cached_tokens":0},"seconds":0.00678245899985086,"unseen":false}');
INSERT INTO "step" VALUES('8b61fef911ed5c97',1,3,'{"kind":"started","round":0,"call_id":"teFLVdjid","at":"2026-11-28T16:06:23.761762Z"}');
INSERT INTO "step" VALUES('8b61fef911ed5c97',1,4,'{"kind":"result","round":0,"result":{"call_id":"teFLVdjid","name":"calculate","content":"168","ok":true},"seconds":0.0009433319999061496}');
INSERT INTO "step" VALUES('8b61fef911ed5c97',1,5,'{"kind":"reply","round":1,"text":"It is 168.","tool_calls":[],"finish":"stop","model":"test-model","usage":{"input_tokens":10,"output_tokens":5,"cached_tokens":0},"seconds":0.002359457000011389,"unseen":false}');
INSERT INTO "step" VALUES('8b61fef911ed5c97',1,6,'{"kind":"outcome","state":"done","notice":null,"partial":"","seconds":0.018828009999879214}');
INSERT INTO "step" VALUES('baedb52a0b0e0471',1,1,'{"kind":"prompt","text":"What is this?","source_id":"1576268029078011904","version":0,"author":{"id":"100000000000000021","name":"Ada"},"quoted":null,"attachments":[{"name":"cat.png","media_type":"image/png","size":24,"id":"1576268029082206208","text":null,"image":0,"note":null},{"name":"list.txt","media_type":"application/octet-stream","size":11,"id":"1576268029082206209","text":"milk, bread","image":null,"note":null}]}');
INSERT INTO "step" VALUES('baedb52a0b0e0471',1,2,'{"kind":"reply","round":0,"text":"A cat, and a list.","tool_calls":[],"finish":"stop","model":"test-model","usage":{"input_tokens":10,"output_tokens":5,"cached_tokens":0},"seconds":0.004180722000000969,"unseen":false}');
INSERT INTO "step" VALUES('baedb52a0b0e0471',1,3,'{"kind":"outcome","state":"done","notice":null,"partial":"","seconds":0.008509886000183542}');
INSERT INTO "step" VALUES('9508c7c3735bb990',1,1,'{"kind":"prompt","text":"And I am Grace.","source_id":"1576268029254172672","version":0,"author":{"id":"100000000000000022","name":"Grace"},"quoted":null,"attachments":[]}');
INSERT INTO "step" VALUES('9508c7c3735bb990',1,2,'{"kind":"reply","round":0,"text":"Hello Grace.","tool_calls":[],"finish":"stop","model":"test-model","usage":{"input_tokens":10,"output_tokens":5,"cached_tokens":0},"seconds":0.003774378999878536,"unseen":false}');
INSERT INTO "step" VALUES('9508c7c3735bb990',1,3,'{"kind":"outcome","state":"done","notice":null,"partial":"","seconds":0.007395189999897411}');
INSERT INTO "step" VALUES('afde6b4f85794d55',1,1,'{"kind":"prompt","text":"Line 1","source_id":"0a1b2c3d-1","version":0,"author":{"id":"ann","name":"ann"},"quoted":null,"attachments":[]}');
INSERT INTO "step" VALUES('afde6b4f85794d55',1,2,'{"kind":"reply","round":0,"text":"Answer 1.","tool_calls":[],"finish":"stop","model":"test-model","usage":{"input_tokens":10,"output_tokens":5,"cached_tokens":0},"seconds":0.0019261719999121851,"unseen":false}');
INSERT INTO "step" VALUES('afde6b4f85794d55',1,3,'{"kind":"outcome","state":"done","notice":null,"partial":"","seconds":0.0032719030000407656}');
INSERT INTO "step" VALUES('96c307f3fbe98149',1,1,'{"kind":"prompt","text":"Line 2","source_id":"0a1b2c3d-2","version":0,"author":{"id":"ann","name":"ann"},"quoted":null,"attachments":[]}');
INSERT INTO "step" VALUES('96c307f3fbe98149',1,2,'{"kind":"reply","round":0,"text":"Answer 2.","tool_calls":[],"finish":"stop","model":"test-model","usage":{"input_tokens":10,"output_tokens":5,"cached_tokens":0},"seconds":0.001806355000098847,"unseen":false}');
INSERT INTO "step" VALUES('96c307f3fbe98149',1,3,'{"kind":"outcome","state":"done","notice":null,"partial":"","seconds":0.0032511410001916374}');
INSERT INTO "step" VALUES('07db76c1dee3d5db',1,1,'{"kind":"prompt","text":"Order a pizza.","source_id":"1576268030118199296","version":0,"author":{"id":"100000000000000021","name":"Ada"},"quoted":null,"attachments":[]}');
INSERT INTO "step" VALUES('07db76c1dee3d5db',1,2,'{"kind":"reply","round":0,"text":"Let me order.","tool_calls":[{"id":"bk9IZ2j5Q","name":"order_pizza","arguments":"{\"size\": \"large\"}"}],"finish":"tool_calls","model":"test-model","usage":{"input_tokens":10,"output_tokens":5,"cached_tokens":0},"seconds":0.0042219639999530045,"unseen":false}');
INSERT INTO "step" VALUES('07db76c1dee3d5db',1,3,'{"kind":"started","round":0,"call_id":"bk9IZ2j5Q","at":"2026-11-28T16:06:24.038836Z"}');
INSERT INTO "step" VALUES('0076961ab2cbf83c',1,1,'{"kind":"prompt","text":"Are you there?","source_id":"1576268030608932864","version":0,"author":{"id":"100000000000000022","name":"Grace"},"quoted":null,"attachments":[]}');
INSERT INTO "step" VALUES('5f292401a778eba6',1,1,'{"kind":"prompt","text":"Write to them too.","source_id":"1576268030613127168","version":0,"author":{"id":"100000000000000021","name":"Ada"},"quoted":null,"attachments":[]}');
INSERT INTO "step" VALUES('5f292401a778eba6',1,2,'{"kind":"reply","round":0,"text":"","tool_calls":[{"id":"ZJ9UOcXGH","name":"send_email","arguments":"{\"to\": \"test@example.com\", \"subject\": \"Hello\", \"body\": \"Waiting\"}"}],"finish":"tool_calls","model":"test-model","usage":{"input_tokens":10,"output_tokens":5,"cached_tokens":0},"seconds":0.0022500640000089334,"unseen":false}');
INSERT INTO "step" VALUES('5f292401a778eba6',1,3,'{"kind":"waiting","round":0,"call_id":"ZJ9UOcXGH","deadline":"2126-11-04T16:06:24.153846Z","fingerprint":"d553dfdfea4a6e09381cfa20f53379261aa501f001726b0dacc7067f4d1e5c2a","allows_always":false}');
CREATE TABLE turn (
            id TEXT PRIMARY KEY,
            session_id TEXT NOT NULL REFERENCES session (id),
            seq BIGINT NOT NULL,
            attempt BIGINT NOT NULL,
            resumes BIGINT NOT NULL,
            state TEXT NOT NULL,
            stop_requested BIGINT NOT NULL,
            owner TEXT NOT NULL,
            source TEXT NOT NULL,
            origin TEXT NOT NULL,
            created_at TEXT NOT NULL,
            UNIQUE (session_id, seq)
        );
INSERT INTO "turn" VALUES('831f9a17e5fabbb0','discord:100000000000000011',1,1,0,'done',0,'735713aca6915772','discord','{"channel_id": "100000000000000011", "message_id": "1576268028943794176", "cards": "normal"}','2026-11-28T16:06:23.747329+00:00');
INSERT INTO "turn" VALUES('49baa507f2421bc2','discord:100000000000000011',2,2,0,'done',0,'735713aca6915772','discord','{"channel_id": "100000000000000011", "message_id": "1576268029078011904", "cards": "normal"}','2026-11-28T16:06:23.780603+00:00');
INSERT INTO "turn" VALUES('fe506b2ab5f5ec84','discord:100000000000000011',3,1,0,'done',0,'735713aca6915772','discord','{"channel_id": "100000000000000011", "message_id": "1576268029254172672", "cards": "normal"}','2026-11-28T16:06:23.819098+00:00');
INSERT INTO "turn" VALUES('75cbcea0102dd8e0','discord:100000000000000012',1,1,0,'failed',0,'735713aca6915772','discord','{"channel_id": "100000000000000012", "message_id": "1576268029325475840", "cards": "normal"}','2026-11-28T16:06:23.836995+00:00');
INSERT INTO "turn" VALUES('a5012aacc8001fba','discord:100000000000000012',2,1,0,'stopped',1,'735713aca6915772','discord','{"channel_id": "100000000000000012", "message_id": "1576268029380001792", "cards": "normal"}','2026-11-28T16:06:23.849621+00:00');
INSERT INTO "turn" VALUES('43ce353c593bd4b4','discord:1576268029472276480',1,1,0,'done',0,'735713aca6915772','discord','{"channel_id": "1576268029472276480", "message_id": "1576268029472276481", "cards": "normal"}','2026-11-28T16:06:23.872331+00:00');
INSERT INTO "turn" VALUES('8b61fef911ed5c97','discord:1576268030051090432',1,1,0,'done',0,'735713aca6915772','branch','{"copied_from": "831f9a17e5fabbb0"}','2026-11-28T16:06:23.747329+00:00');
INSERT INTO "turn" VALUES('baedb52a0b0e0471','discord:1576268030051090432',2,1,0,'done',0,'735713aca6915772','branch','{"copied_from": "49baa507f2421bc2"}','2026-11-28T16:06:23.780603+00:00');
INSERT INTO "turn" VALUES('9508c7c3735bb990','discord:1576268030051090432',3,1,0,'done',0,'735713aca6915772','branch','{"copied_from": "fe506b2ab5f5ec84"}','2026-11-28T16:06:23.819098+00:00');
INSERT INTO "turn" VALUES('afde6b4f85794d55','terminal:0a1b2c3d',1,1,0,'done',0,'735713aca6915772','terminal','{}','2026-11-28T16:06:24.011817+00:00');
INSERT INTO "turn" VALUES('96c307f3fbe98149','terminal:0a1b2c3d',2,1,0,'done',0,'735713aca6915772','terminal','{}','2026-11-28T16:06:24.018562+00:00');
INSERT INTO "turn" VALUES('07db76c1dee3d5db','discord:100000000000000012',3,1,0,'running',0,'735713aca6915772','discord','{"channel_id": "100000000000000012", "message_id": "1576268030118199296", "cards": "normal"}','2026-11-28T16:06:24.025281+00:00');
INSERT INTO "turn" VALUES('0076961ab2cbf83c','discord:100000000000000012',4,1,0,'queued',0,'735713aca6915772','discord','{"channel_id": "100000000000000012", "message_id": "1576268030608932864", "cards": "normal"}','2026-11-28T16:06:24.145165+00:00');
INSERT INTO "turn" VALUES('5f292401a778eba6','discord:1576268030608932865',1,1,0,'waiting',0,'735713aca6915772','discord','{"channel_id": "1576268030608932865", "message_id": "1576268030613127168", "cards": "normal"}','2026-11-28T16:06:24.146190+00:00');
CREATE VIEW open_turn AS SELECT * FROM turn WHERE state IN ('queued', 'running', 'waiting');
CREATE VIEW ended_turn AS SELECT * FROM turn WHERE state IN ('done', 'failed', 'stopped');
CREATE INDEX turn_open ON turn (session_id, seq) WHERE state IN ('queued', 'running', 'waiting');
CREATE INDEX delivery_message ON delivery (message_id);
CREATE INDEX delivery_unsent ON delivery (turn_id) WHERE sent = 0;
CREATE INDEX login_at ON login (source, at);
COMMIT;
